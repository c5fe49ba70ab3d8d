package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.BrokerListener;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Message;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class PeersTest {

  private static final String OPEN = "{\"type\":\"OPEN\"}";
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final FakeTimer timer = new FakeTimer();
  private final Broker broker =
      Broker.builder().timer(timer).drainTimeout(Duration.ofMillis(1)).build();

  @AfterEach
  void close() {
    broker.close();
  }

  private Peers peers(PeerJsSettings settings) {
    return new Peers(broker, settings);
  }

  private static FakeConnection enter(Peers peers, String id) {
    FakeConnection client = FakeConnection.enter(peers, id, "token of " + id);
    assertThat(client.frames()).containsExactly(OPEN);
    return client;
  }

  private static String offer(String dst) {
    return "{\"type\":\"OFFER\",\"dst\":\"" + dst + "\",\"payload\":1}";
  }

  private static String offered(String src, String dst) {
    return "{\"type\":\"OFFER\",\"src\":\"%s\",\"dst\":\"%s\",\"payload\":1}".formatted(src, dst);
  }

  private static String expire(String src, String dst) {
    return "{\"type\":\"EXPIRE\",\"src\":\"%s\",\"dst\":\"%s\"}".formatted(src, dst);
  }

  @Test
  @DisplayName("Each attempt waits for its target as long as is set, and is reported once.")
  void expires() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    FakeConnection eve = enter(peers, "eve");
    ada.send(offer("bob"));
    timer.advance(Duration.ofMillis(500));
    ada.send(offer("bob"));
    timer.advance(Duration.ofMillis(2_500));
    eve.send(offer("bob"));
    timer.advance(Duration.ofMillis(1_999));
    assertThat(ada.frames()).isEmpty();
    timer.advance(Duration.ofMillis(1));
    assertThat(ada.frames()).containsExactly(expire("bob", "ada"));
    assertThat(eve.frames()).isEmpty();
    timer.advance(Duration.ofMillis(2_999));
    assertThat(eve.frames()).isEmpty();
    timer.advance(Duration.ofMillis(1));
    assertThat(eve.frames()).containsExactly(expire("bob", "eve"));
    timer.advance(SECOND.multipliedBy(10));
    assertThat(ada.frames()).isEmpty();
    assertThat(peers.waiting()).isZero();
  }

  @Test
  @DisplayName("However much waits, one task looks after it.")
  void oneTask() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    int before = timer.scheduled();
    for (int i = 0; i < WaitingFrames.MAX_OF_SENDER; i++) {
      ada.send(offer("nobody" + i));
    }
    assertThat(timer.scheduled()).isEqualTo(before + 1);
    timer.advance(SECOND.multipliedBy(5));
    assertThat(ada.frames()).hasSize(WaitingFrames.MAX_OF_SENDER);
    assertThat(timer.scheduled()).isEqualTo(before);
  }

  @Test
  @DisplayName("What a client that has left had waiting makes room at once.")
  void dropsOfSender() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    ada.send(offer("bob"));
    ada.goAway();
    assertThat(peers.remembered()).isZero();
  }

  @Test
  @DisplayName("A frame too deep for a message, or for an id that nobody can have, is reported.")
  void reportsWhatCannotBe() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    String deep = "[".repeat(64) + "]".repeat(64);
    ada.send("{\"type\":\"OFFER\",\"dst\":\"ada\",\"payload\":" + deep + "}");
    assertThat(ada.frames()).containsExactly(expire("ada", "ada"));
    ada.send(offer("b".repeat(129)));
    assertThat(ada.frames()).containsExactly(expire("b".repeat(128), "ada"));
    ada.send("{\"type\":\"LEAVE\",\"dst\":\"" + "b".repeat(129) + "\"}");
    assertThat(ada.frames()).isEmpty();
  }

  @Test
  @DisplayName("The time of a frame begins with it, whatever has waited for the same id before.")
  void waitsAnew() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    ada.send(offer("bob"));
    timer.advance(SECOND.multipliedBy(2));
    FakeConnection bob = enter(peers, "bob", offered("ada", "bob"));
    bob.goAway();
    ada.send(offer("bob"));
    timer.advance(Duration.ofMillis(4_999));
    assertThat(ada.frames()).isEmpty();
    timer.advance(Duration.ofMillis(1));
    assertThat(ada.frames()).containsExactly(expire("bob", "ada"));
  }

  private static FakeConnection enter(Peers peers, String id, String next) {
    FakeConnection client = FakeConnection.enter(peers, id, "token of " + id);
    assertThat(client.frames()).containsExactly(OPEN, next);
    return client;
  }

  @Test
  @DisplayName("A client that says nothing is given up; any frame is a sign of life.")
  void aliveTimeout() {
    Peers peers = peers(PeerJsSettings.defaults().withAliveTimeout(SECOND.multipliedBy(60)));
    FakeConnection ada = enter(peers, "ada");
    FakeConnection bob = enter(peers, "bob");
    timer.advance(SECOND.multipliedBy(59));
    bob.send("{\"type\":\"HEARTBEAT\"}");
    // A second look, since a process may have paused.
    timer.advance(SECOND.multipliedBy(9));
    assertThat(ada.closeCode()).isEqualTo(1001);
    assertThat(peers.isTaken("ada")).isFalse();
    timer.advance(SECOND.multipliedBy(50));
    assertThat(bob.closeCode()).isZero();
    timer.advance(SECOND.multipliedBy(9));
    assertThat(bob.closeCode()).isEqualTo(1001);
  }

  @Test
  @DisplayName("After a pause of the process a client that has gone on sending is not given up.")
  void pause() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    timer.pause(SECOND.multipliedBy(600));
    timer.runDue();
    assertThat(peers.isTaken("ada")).isTrue();
    ada.send("{\"type\":\"HEARTBEAT\"}");
    timer.advance(SECOND.multipliedBy(60));
    assertThat(ada.closeCode()).isZero();
  }

  @Test
  @DisplayName("A client that does not end its frame is given up, however often it sends a part.")
  void unfinished() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    for (int i = 0; i < 20; i++) {
      ada.begin(" ");
      timer.advance(SECOND);
    }
    assertThat(peers.isTaken("ada")).isFalse();
    assertThat(ada.closeCode()).isEqualTo(1008);
  }

  @Test
  @DisplayName("A client that sends too much that is no message is given up.")
  void flood() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    for (int second = 0; second < 2; second++) {
      for (int i = 0; i < 2_000; i++) {
        ada.send("{\"type\":\"HEARTBEAT\"}");
      }
      assertThat(peers.isTaken("ada")).isTrue();
      timer.advance(SECOND);
    }
    for (int i = 0; i <= 2_000; i++) {
      ada.send("{}");
    }
    assertThat(peers.isTaken("ada")).isFalse();
    timer.advance(Duration.ZERO);
    assertThat(ada.closeCode()).isEqualTo(1008);
  }

  @Test
  @DisplayName("A client that takes nothing is given up, and makes nobody wait.")
  void writeTimeout() {
    HttpSettings http = HttpSettings.defaults().withWriteTimeout(SECOND.multipliedBy(8));
    Peers peers = peers(PeerJsSettings.defaults().withHttp(http));
    FakeConnection ada = enter(peers, "ada");
    FakeConnection bob = enter(peers, "bob");
    bob.stall();
    ada.send(offer("bob"));
    ada.send(offer("bob"));
    ada.send(offer("ada"));
    assertThat(ada.frames()).containsExactly(offered("ada", "ada"));
    assertThat(bob.frames()).hasSize(1);
    // A tick, and one more since a process may have paused.
    timer.advance(SECOND.multipliedBy(18));
    assertThat(bob.closeCode()).isEqualTo(1001);
    assertThat(peers.isTaken("bob")).isFalse();
    assertThat(ada.closeCode()).isZero();
  }

  @Test
  @DisplayName("A sender learns that its target's queue is full.")
  void full() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection bob = enter(peers, "bob");
    bob.stall();
    String large =
        "{\"type\":\"OFFER\",\"dst\":\"bob\",\"payload\":\"" + "x".repeat(40_000) + "\"}";
    List<String> told = new ArrayList<>();
    FakeConnection ada = enter(peers, "ada");
    for (int i = 0; i < 30 && told.isEmpty(); i++) {
      ada.send(large);
      told.addAll(ada.frames());
    }
    assertThat(told).containsExactly(expire("bob", "ada"));
    bob.resume();
    ada.send(offer("bob"));
    assertThat(bob.frames()).last().isEqualTo(offered("ada", "bob"));
  }

  @Test
  @DisplayName("A client that sends on and reads nothing of what it is told is cut off.")
  void notices() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    ada.stall();
    for (int i = 0; i < WaitingFrames.MAX_OF_SENDER + PeerSocket.MAX_NOTICES + 1; i++) {
      ada.send(offer("nobody" + i));
      assertThat(peers.isTaken("ada")).isTrue();
    }
    ada.send(offer("nobody"));
    assertThat(peers.isTaken("ada")).isFalse();
    timer.advance(Duration.ZERO);
    assertThat(ada.closeCode()).isEqualTo(1008);
  }

  @Test
  @DisplayName(
      "The container closes what it reports as failed, and this server only if it has not.")
  void failed() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    ada.fail();
    assertThat(peers.isTaken("ada")).isFalse();
    timer.advance(Duration.ofMillis(4_999));
    assertThat(ada.closeCode()).isZero();
    timer.advance(Duration.ofMillis(1));
    assertThat(ada.closeCode()).isEqualTo(1001);
    assertThat(peers.remembered()).isZero();
  }

  @Test
  @DisplayName("An application that stops closes what is open, and what a timer has yet to close.")
  void stops() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    FakeConnection bob = enter(peers, "bob");
    ada.sendBinary();
    assertThat(ada.closeCode()).isZero();
    peers.close();
    assertThat(ada.closeCode()).isEqualTo(1003);
    assertThat(bob.closeCode()).isEqualTo(1001);
    assertThat(peers.remembered()).isZero();
  }

  @Test
  @DisplayName("A frame has its sender's id even if the sender has left meanwhile.")
  void leftMeanwhile() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    FakeConnection bob = enter(peers, "bob");
    bob.stall();
    ada.send(offer("bob"));
    ada.send(offer("bob"));
    ada.goAway();
    bob.resume();
    assertThat(bob.frames()).containsExactly(offered("ada", "bob"), offered("ada", "bob"));
  }

  @Test
  @DisplayName("The application may refuse an id; the client that has it keeps it.")
  void idPolicy() {
    boolean[] refuses = {false};
    IdPolicy ids =
        (caller, id) -> {
          if (id.equals("eve")) {
            throw new IllegalStateException("a fault");
          }
          if (refuses[0]) {
            throw AccessPolicy.denied("Log in as " + id + ".");
          }
        };
    Peers peers = peers(PeerJsSettings.defaults().withIds(ids));
    FakeConnection ada = enter(peers, "ada");
    refuses[0] = true;
    FakeConnection again = FakeConnection.enter(peers, "ada", "token of ada");
    assertThat(again.frames())
        .containsExactly("{\"type\":\"ERROR\",\"payload\":{\"msg\":\"Log in as ada.\"}}");
    FakeConnection eve = FakeConnection.enter(peers, "eve", "1");
    assertThat(eve.frames()).singleElement().asString().doesNotContain("a fault");
    timer.advance(Duration.ZERO);
    assertThat(again.closeCode()).isEqualTo(1000);
    ada.send(offer("ada"));
    assertThat(ada.frames()).containsExactly(offered("ada", "ada"));
  }

  @Test
  @DisplayName("If the new client's session is refused, the one before it keeps the id.")
  void sessionRefused() {
    int[] hosted = {0};
    AccessPolicy policy =
        new AccessPolicy() {
          @Override
          public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
            if (++hosted[0] > 1) {
              throw AccessPolicy.denied("No more.");
            }
            return spec;
          }
        };
    Broker strict = Broker.builder().timer(timer).accessPolicy(policy).build();
    Peers peers = new Peers(strict, PeerJsSettings.defaults().withTag("peerjs"));
    FakeConnection ada = enter(peers, "ada");
    FakeConnection again = FakeConnection.enter(peers, "ada", "token of ada");
    assertThat(again.frames()).singleElement().asString().contains("No more.");
    timer.advance(Duration.ZERO);
    ada.send(offer("ada"));
    assertThat(ada.frames()).containsExactly(offered("ada", "ada"));
    strict.close();
  }

  @Test
  @DisplayName("A client that is given up while the application decides about it takes no id.")
  void slowPolicy() {
    boolean[] isSlow = {true};
    IdPolicy ids =
        (caller, id) -> {
          if (isSlow[0]) {
            timer.advance(SECOND.multipliedBy(60));
          }
        };
    Peers peers = peers(PeerJsSettings.defaults().withTag("peerjs").withIds(ids));
    FakeConnection late = FakeConnection.enter(peers, "ada", "1");
    assertThat(late.frames()).isEmpty();
    assertThat(late.closeCode()).isEqualTo(1001);
    assertThat(peers.remembered()).isZero();
    isSlow[0] = false;
    var unused = enter(peers, "ada");
  }

  @Test
  @DisplayName("A client that goes just when its session is there leaves nothing behind.")
  void goesWhenHosted() {
    BrokerListener slow =
        new BrokerListener() {
          @Override
          public void sessionOpened(Session session) {
            timer.advance(SECOND.multipliedBy(60));
          }
        };
    Broker heard = Broker.builder().timer(timer).listener(slow).build();
    Peers peers = new Peers(heard, PeerJsSettings.defaults().withTag("peerjs"));
    FakeConnection late = FakeConnection.enter(peers, "ada", "1");
    assertThat(late.closeCode()).isEqualTo(1001);
    assertThat(peers.remembered()).isZero();
    heard.close();
  }

  @Test
  @DisplayName("A frame that is read while its sender goes waits for nobody.")
  void goesWhenRead() {
    Peers peers = peers(PeerJsSettings.defaults());
    PeerSocket ada = peers.connect("ada", "1");
    peers.enter(ada, Caller.of(null));
    ada.connection().abort();
    timer.advance(Duration.ZERO);
    peers.received(ada, offer("bob").getBytes(UTF_8));
    assertThat(peers.remembered()).isZero();
  }

  @Test
  @DisplayName("Of two clients that come back at once, one has the id, and no third stays.")
  void twoComeBack() {
    List<FakeConnection> third = new ArrayList<>();
    int[] hosted = {0};
    Peers[] peers = new Peers[1];
    AccessPolicy policy =
        new AccessPolicy() {
          @Override
          public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
            if (++hosted[0] == 2) {
              third.add(FakeConnection.enter(peers[0], "ada", "token of ada"));
              throw AccessPolicy.denied("No more.");
            }
            return spec;
          }
        };
    Broker strict = Broker.builder().timer(timer).accessPolicy(policy).build();
    peers[0] = new Peers(strict, PeerJsSettings.defaults().withTag("peerjs"));
    FakeConnection first = enter(peers[0], "ada");
    FakeConnection second = FakeConnection.enter(peers[0], "ada", "token of ada");
    timer.advance(Duration.ZERO);
    assertThat(first.closeCode()).isEqualTo(1000);
    assertThat(second.closeCode()).isEqualTo(1000);
    FakeConnection ada = third.get(0);
    assertThat(ada.frames()).containsExactly(OPEN);
    ada.send(offer("ada"));
    assertThat(ada.frames()).containsExactly(offered("ada", "ada"));
    ada.goAway();
    assertThat(peers[0].remembered()).isZero();
    strict.close();
  }

  @Test
  @DisplayName("Ids are found in the list behind others' sessions with the tag, 1,000 of them.")
  void list() {
    Peers peers = peers(PeerJsSettings.defaults().withTag("peerjs").withDiscovery(true));
    Channel other = broker.openChannel((channel, message) -> {});
    for (int i = 0; i < 1_000; i++) {
      var unused = other.openSession(SessionSpec.listed("peerjs"));
    }
    for (int i = 0; i <= 1_000; i++) {
      var unused = enter(peers, "ada" + i);
    }
    assertThat(peers.list(Caller.of(null)))
        .hasSize(1_000)
        .startsWith("ada0", "ada1")
        .endsWith("ada999");
    other.close();
  }

  @Test
  @DisplayName("Code in this JVM calls a client by its id, and is called.")
  void jvm() {
    Peers peers = peers(PeerJsSettings.defaults());
    FakeConnection ada = enter(peers, "ada");
    List<Message> received = new ArrayList<>();
    Channel own = broker.openChannel((channel, message) -> received.add(message), Runnable::run);
    Channel found = Objects.requireNonNull(peers.findChannel("ada"));
    own.sendOrThrow(found.id(), Json.parse("{\"type\":\"OFFER\",\"payload\":1}"));
    assertThat(ada.frames()).containsExactly(offered(own.id(), "ada"));
    ada.send("{\"type\":\"ANSWER\",\"dst\":\"" + own.id() + "\",\"payload\":2}");
    assertThat(received).hasSize(1);
    assertThat(received.get(0).origin()).isEqualTo(found.id());
    assertThat(received.get(0).json()).hasToString("{\"type\":\"ANSWER\",\"payload\":2}");
    assertThat(peers.findChannel("bob")).isNull();
    own.close();
    ada.send(offer(own.id()));
    timer.advance(SECOND.multipliedBy(5));
    assertThat(ada.frames()).containsExactly(expire(own.id(), "ada"));
  }

  @Test
  @DisplayName("Those that leave leave nothing behind.")
  void nothingIsLeft() {
    Peers peers = peers(PeerJsSettings.defaults().withTag("peerjs"));
    int before = timer.scheduled();
    for (int i = 0; i < 10; i++) {
      FakeConnection client = enter(peers, "ada" + i);
      client.send(offer("nobody"));
      client.goAway();
    }
    assertThat(peers.remembered()).isZero();
    timer.advance(SECOND.multipliedBy(6));
    assertThat(broker.stats().channels()).isZero();
    assertThat(timer.scheduled()).isEqualTo(before);
  }
}
