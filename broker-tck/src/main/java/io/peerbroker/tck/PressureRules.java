package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many bad clients cost other clients nothing, and hold none of the container's threads. */
public abstract class PressureRules extends ServerRules {

  private static final int THREADS = 16;
  private static final int DEAD = 400;

  /** Few: if they keep the whole pool busy, an error's callback comes too late to do damage. */
  private static final int WORKERS = 2;

  private static final String MESSAGE = "\"" + "x".repeat(2_500) + "\"";

  /** For subclasses. */
  protected PressureRules() {}

  @Test
  @DisplayName(
      "400 fresh streams stay whole while 400 others die during the broker's writes, and "
          + "after that.")
  void freshStreamsAfterDeadOnes() throws InterruptedException {
    client(ServerSettings.of("heartbeat", "60m").and("messageRate", "0").withThreads(THREADS));
    List<WireChannel> doomed = channels(DEAD);
    Queue<WireChannel> fresh = new ConcurrentLinkedQueue<>();
    Queue<Throwable> damages = new ConcurrentLinkedQueue<>();
    ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
    try {
      for (int i = 0; i < WORKERS; i++) {
        WireChannel sender = client().openChannel();
        List<WireChannel> mine = doomed.subList(i * DEAD / WORKERS, (i + 1) * DEAD / WORKERS);
        workers.execute(() -> mine.forEach(dying -> replace(sender, dying, fresh, damages)));
      }
      workers.shutdown();
      assertThat(workers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      workers.shutdownNow();
    }
    fresh.forEach(channel -> record(damages, () -> assertAlive(channel)));
    assertThat(fresh).hasSizeGreaterThan(DEAD / 2);
    assertThat(damages).as("requests that others' deaths have damaged").isEmpty();
  }

  /**
   * Resets a channel's stream and writes to it at once, so that the write fails on a request's own
   * thread. Nothing may wait for room meanwhile, or the container's poller would be the first to
   * learn of the reset. Then opens another.
   */
  private void replace(
      WireChannel sender, WireChannel dying, Queue<WireChannel> fresh, Queue<Throwable> damages) {
    record(
        damages,
        () -> {
          assertSent(sender.send(dying.cid(), MESSAGE));
          dying.stream().reset();
          WireResponse response = sender.send(dying.cid(), MESSAGE);
          for (int i = 0; i < 1_000 && response.status() != 404; i++) {
            assertSent(response);
            response = sender.send(dying.cid(), MESSAGE);
          }
          assertRefused(response, 404, "unknown_target");
        });
    record(
        damages,
        () -> {
          WireChannel channel = client().openChannel();
          fresh.add(channel);
          assertAlive(channel);
        });
  }

  private static void record(Queue<Throwable> damages, Runnable step) {
    try {
      step.run();
    } catch (AssertionError | RuntimeException damage) {
      damages.add(damage);
    }
  }

  @Test
  @DisplayName("Three times as many stalled readers as pool threads delay no request.")
  void freshRequestsDespiteStalledReaders() {
    client(
        ServerSettings.of("heartbeat", "500ms")
            .and("writeTimeout", "2s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(THREADS));
    WireChannel sender = client().openChannel();
    List<WireChannel> stalled =
        IntStream.range(0, 3 * THREADS).mapToObj(i -> openStalled()).toList();
    stalled.forEach(channel -> sendUntilRefused(sender, channel.cid()));
    assertPrompt();
    awaitGivenUp(sender, stalled.stream().map(WireChannel::cid).toList());
    assertPrompt();
  }

  @Test
  @Tag("C10")
  @DisplayName("Stalled readers delay no other client's heartbeat.")
  void stalledReadersDelayNoHeartbeat() {
    client(
        ServerSettings.of("heartbeat", "200ms")
            .and("writeTimeout", "5s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", "100000")
            .withThreads(THREADS));
    WireChannel sender = client().openChannel();
    SseStream bystander = client().watch("");
    List<WireChannel> stalled = IntStream.range(0, 5).mapToObj(i -> openStalled()).toList();
    // A container may keep the thread whose write it cannot take: these threads are for the stalled
    // clients.
    ExecutorService senders = Executors.newCachedThreadPool();
    try {
      for (WireChannel each : stalled) {
        senders.execute(() -> sendUntilRefused(sender, each.cid()));
      }
      bystander.awaitComments(2);
      Duration longest = Duration.ZERO;
      for (int i = 0; i < 40; i++) {
        long begin = System.nanoTime();
        bystander.awaitComments(bystander.comments().size() + 1);
        Duration gap = Duration.ofNanos(System.nanoTime() - begin);
        longest = gap.compareTo(longest) > 0 ? gap : longest;
      }
      System.out.printf("LONGEST of 200 ms heartbeats beside stalled readers: %s%n", longest);
      // As long as a request that waits for the stalled clients to be given up, and longer than a
      // machine's hiccup.
      assertThat(longest).isLessThan(Duration.ofSeconds(4));
    } finally {
      senders.shutdownNow();
    }
  }

  @Test
  @Tag("H8")
  @DisplayName("300 dribbling bodies hold no thread, and are refused at their timeout.")
  void dribblingBodiesHoldNoThread() {
    client(ServerSettings.of("bodyTimeout", "6s").withThreads(THREADS));
    WireChannel channel = client().openChannel();
    String body = channel.sendBody("1");
    String head =
        client()
            .head(
                "POST",
                "/send/" + channel.cid(),
                "Content-Type: application/json",
                "Content-Length: " + body.length());
    List<WireConnection> dribbling = new ArrayList<>();
    try {
      for (int i = 0; i < 300; i++) {
        dribbling.add(client().connect().write(head + body.substring(0, 1)));
      }
      assertPrompt();
      dribbling.forEach(connection -> connection.write(body.substring(1, 2)));
      assertPrompt();
      // The last one that began: its time includes that of all the others.
      WireConnection whole = dribbling.get(dribbling.size() - 1).write(body.substring(2));
      assertSent(whole.readResponse());
      for (WireConnection connection : dribbling.subList(0, dribbling.size() - 1)) {
        assertRefused(connection.readResponse(), 408, "request_timeout");
      }
    } finally {
      dribbling.forEach(WireConnection::close);
    }
  }

  private List<WireChannel> channels(int count) {
    return IntStream.range(0, count).mapToObj(i -> client().openChannel()).toList();
  }

  private static void assertAlive(WireChannel channel) {
    assertSent(channel.send(channel.cid(), "1"));
    assertThat(channel.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  /** Fails unless each of twenty fresh requests is answered in less than a second. */
  private void assertPrompt() {
    for (int i = 0; i < 20; i++) {
      long begin = System.nanoTime();
      if (i % 2 == 0) {
        client().openChannel();
      } else {
        assertThat(client().get("/list").status()).isEqualTo(200);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(1));
    }
  }
}
