package io.peerbroker.peerjs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Json;
import io.peerbroker.test.FakeTimer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WaitingFramesTest {

  private static final Json SMALL = Json.parse("1");

  private final Broker broker = Broker.builder().timer(new FakeTimer()).build();
  private final Peers peers = new Peers(broker, PeerJsSettings.defaults());
  private final WaitingFrames waiting = new WaitingFrames();

  @AfterEach
  void close() {
    broker.close();
  }

  private PeerSocket sender(String id) {
    return peers.connect(id, "token");
  }

  private static WaitingFrames.Waiting frame(PeerSocket sender, String target, Json message) {
    return new WaitingFrames.Waiting(sender, target, "OFFER", message, 0);
  }

  private boolean add(PeerSocket sender, String target, Json message) {
    return waiting.add(frame(sender, target, message));
  }

  private WaitingFrames.Waiting addAt(long since, PeerSocket sender, String target) {
    var frame = new WaitingFrames.Waiting(sender, target, "OFFER", SMALL, since);
    assertThat(waiting.add(frame)).isTrue();
    return frame;
  }

  @Test
  void takesInOrder() {
    PeerSocket ada = sender("ada");
    List<WaitingFrames.Waiting> added = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      // Equal ones are two.
      added.add(frame(ada, "bob", SMALL));
      assertThat(waiting.add(added.get(i))).isTrue();
    }
    assertThat(add(ada, "eve", SMALL)).isTrue();
    assertThat(waiting.take("bob")).containsExactlyElementsOf(added);
    assertThat(waiting.take("bob")).isEmpty();
    assertThat(waiting.size()).isEqualTo(1);
    assertThat(waiting.take("eve")).hasSize(1);
    assertThat(waiting.remembered()).isZero();
  }

  @Test
  void boundsFramesOfSender() {
    PeerSocket ada = sender("ada");
    for (int i = 0; i < WaitingFrames.MAX_OF_SENDER; i++) {
      assertThat(add(ada, "bob" + i, SMALL)).isTrue();
    }
    assertThat(add(ada, "eve", SMALL)).isFalse();
    assertThat(add(sender("eve"), "eve", SMALL)).isTrue();
    assertThat(waiting.take("bob0")).hasSize(1);
    assertThat(add(ada, "eve", SMALL)).isTrue();
  }

  @Test
  void boundsBytesOfSender() {
    PeerSocket ada = sender("ada");
    Json large = Json.of("x".repeat(WaitingFrames.MAX_BYTES_OF_SENDER / 2 - 1_000));
    assertThat(add(ada, "bob", large)).isTrue();
    assertThat(add(ada, "bob", large)).isTrue();
    assertThat(add(ada, "bob", large)).isFalse();
    assertThat(waiting.take("bob")).hasSize(2);
    assertThat(add(ada, "bob", large)).isTrue();
  }

  @Test
  void boundsFramesOfAll() {
    int senders = WaitingFrames.MAX / WaitingFrames.MAX_OF_SENDER;
    for (int i = 0; i < senders; i++) {
      PeerSocket sender = sender("a" + i);
      for (int j = 0; j < WaitingFrames.MAX_OF_SENDER; j++) {
        assertThat(add(sender, "bob", SMALL)).isTrue();
      }
    }
    assertThat(add(sender("eve"), "eve", SMALL)).isFalse();
    assertThat(waiting.take("bob")).hasSize(WaitingFrames.MAX);
    assertThat(add(sender("eve"), "eve", SMALL)).isTrue();
  }

  @Test
  void boundsBytesOfAll() {
    Json large = Json.of("x".repeat(WaitingFrames.MAX_BYTES_OF_SENDER - 1_000));
    int added = 0;
    while (add(sender("a" + added), "bob", large)) {
      added++;
    }
    assertThat(added * (long) large.length())
        .isBetween(WaitingFrames.MAX_BYTES - 2L * large.length(), (long) WaitingFrames.MAX_BYTES);
  }

  @Test
  void eachHasItsOwnTime() {
    PeerSocket ada = sender("ada");
    WaitingFrames.Waiting first = addAt(100, ada, "bob");
    WaitingFrames.Waiting other = addAt(120, sender("eve"), "bob");
    WaitingFrames.Waiting again = addAt(130, ada, "bob");
    assertThat(waiting.expire(149, 50)).isEmpty();
    assertThat(waiting.expire(150, 50)).containsExactly(first);
    assertThat(waiting.oldest()).isSameAs(other);
    assertThat(waiting.expire(170, 50)).containsExactly(other);
    assertThat(waiting.expire(180, 50)).containsExactly(again);
    assertThat(waiting.remembered()).isZero();
  }

  @Test
  void reportsAnAttemptOnce() {
    PeerSocket ada = sender("ada");
    WaitingFrames.Waiting offer = addAt(100, ada, "bob");
    addAt(105, ada, "bob");
    WaitingFrames.Waiting other = addAt(105, ada, "eve");
    addAt(110, ada, "bob");
    assertThat(waiting.expire(150, 50)).containsExactly(offer);
    assertThat(waiting.size()).isEqualTo(1);
    assertThat(waiting.expire(155, 50)).containsExactly(other);
  }

  @Test
  void reportsManyInParts() {
    for (int i = 0; i <= WaitingFrames.MAX_REPORTS; i++) {
      addAt(0, sender("a" + i), "bob");
    }
    assertThat(waiting.expire(50, 50)).hasSize(WaitingFrames.MAX_REPORTS);
    assertThat(waiting.expire(50, 50)).hasSize(1);
  }

  @Test
  void dropsWhatASenderHas() {
    PeerSocket ada = sender("ada");
    addAt(0, ada, "bob");
    WaitingFrames.Waiting other = addAt(0, sender("eve"), "bob");
    addAt(0, ada, "carol");
    waiting.drop(ada);
    waiting.drop(ada);
    assertThat(waiting.take("carol")).isEmpty();
    assertThat(waiting.take("bob")).containsExactly(other);
    assertThat(waiting.remembered()).isZero();
  }
}
