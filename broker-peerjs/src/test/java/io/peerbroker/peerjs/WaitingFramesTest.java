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

  private static WaitingFrames.Waiting frame(PeerSocket sender, Json message) {
    return new WaitingFrames.Waiting(sender, "OFFER", message);
  }

  @Test
  void takesInOrder() {
    PeerSocket ada = sender("ada");
    List<WaitingFrames.Waiting> added = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      added.add(frame(ada, Json.of(i)));
      assertThat(waiting.add("bob", added.get(i), 0)).isTrue();
    }
    assertThat(waiting.add("eve", frame(ada, SMALL), 0)).isTrue();
    assertThat(waiting.take("bob")).containsExactlyElementsOf(added);
    assertThat(waiting.take("bob")).isEmpty();
    assertThat(waiting.size()).isEqualTo(1);
  }

  @Test
  void boundsFramesOfSender() {
    PeerSocket ada = sender("ada");
    for (int i = 0; i < WaitingFrames.MAX_OF_SENDER; i++) {
      assertThat(waiting.add("bob" + i, frame(ada, SMALL), 0)).isTrue();
    }
    assertThat(waiting.add("eve", frame(ada, SMALL), 0)).isFalse();
    assertThat(waiting.add("eve", frame(sender("eve"), SMALL), 0)).isTrue();
    assertThat(waiting.take("bob0")).hasSize(1);
    assertThat(waiting.add("eve", frame(ada, SMALL), 0)).isTrue();
  }

  @Test
  void boundsBytesOfSender() {
    PeerSocket ada = sender("ada");
    Json large = Json.of("x".repeat(WaitingFrames.MAX_BYTES_OF_SENDER / 2 - 1_000));
    assertThat(waiting.add("bob", frame(ada, large), 0)).isTrue();
    assertThat(waiting.add("bob", frame(ada, large), 0)).isTrue();
    assertThat(waiting.add("bob", frame(ada, large), 0)).isFalse();
    assertThat(waiting.take("bob")).hasSize(2);
    assertThat(waiting.add("bob", frame(ada, large), 0)).isTrue();
  }

  @Test
  void boundsFramesOfAll() {
    int senders = WaitingFrames.MAX / WaitingFrames.MAX_OF_SENDER;
    for (int i = 0; i < senders; i++) {
      PeerSocket sender = sender("a" + i);
      for (int j = 0; j < WaitingFrames.MAX_OF_SENDER; j++) {
        assertThat(waiting.add("bob", frame(sender, SMALL), 0)).isTrue();
      }
    }
    assertThat(waiting.add("eve", frame(sender("eve"), SMALL), 0)).isFalse();
    assertThat(waiting.take("bob")).hasSize(WaitingFrames.MAX);
    assertThat(waiting.add("eve", frame(sender("eve"), SMALL), 0)).isTrue();
  }

  @Test
  void boundsBytesOfAll() {
    Json large = Json.of("x".repeat(WaitingFrames.MAX_BYTES_OF_SENDER - 1_000));
    int added = 0;
    while (waiting.add("bob", frame(sender("a" + added), large), 0)) {
      added++;
    }
    assertThat(added * (long) large.length())
        .isBetween(WaitingFrames.MAX_BYTES - 2L * large.length(), (long) WaitingFrames.MAX_BYTES);
  }

  @Test
  void knowsSinceWhen() {
    assertThat(waiting.isAwaited("bob", 100, 0)).isFalse();
    waiting.add("bob", frame(sender("ada"), SMALL), 100);
    waiting.add("bob", frame(sender("ada"), SMALL), 120);
    assertThat(waiting.isAwaited("bob", 149, 50)).isFalse();
    assertThat(waiting.isAwaited("bob", 150, 50)).isTrue();
  }
}
