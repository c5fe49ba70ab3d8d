package io.peerbroker.tck;

import static io.peerbroker.tck.WireChannel.data;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.BrokerBuilder;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Message;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Whatever ends a stream or a request, and in whatever order the container reports it: all that it
 * held is free again, once. No other client is affected, and nothing is logged.
 *
 * <p>The streams that are dropped are 144, or as many as the system property {@code
 * peerbroker.dropped} says. Leftovers are counted in the whole process, so these tests run alone.
 */
@ResourceLock(ServerRules.PROCESS)
public abstract class FaultRules extends ServerRules {

  /** More messages of 1,000 bytes than the system keeps for a reader with small buffers. */
  private static final int MANY = 5_000;

  private static final int DROPPED = Integer.getInteger("peerbroker.dropped", 144);
  private static final int WAVE = 144;

  /**
   * How long the container waits for a reader that was given up: shorter than its default, since
   * nothing here depends on its length.
   */
  private static final Duration CLIENT_TIMEOUT = Duration.ofSeconds(5);

  private static final int CHANNELS = 130;
  private static final int WATCHES = 25;
  private static final int REQUESTS = 400;
  private static final int THREADS = 16;

  /** Few: if they keep the whole pool busy, an error's callback comes too late to do damage. */
  private static final int WORKERS = 2;

  /** A message to this target with a number waits until the test decides its delivery. */
  private static final String LATER = "later-";

  private final CountingTimer timer = new CountingTimer();
  private final Map<String, BlockingQueue<CompletableFuture<Delivery>>> waiting =
      new ConcurrentHashMap<>();
  private final Queue<String> logged = new ConcurrentLinkedQueue<>();
  private final Logger log = Logger.getLogger("io.peerbroker");
  private final Handler handler = new Collector();
  private @Nullable Broker broker;

  /** For subclasses. */
  protected FaultRules() {}

  private final class Collector extends Handler {
    @Override
    public void publish(LogRecord told) {
      logged.add(told.getLevel() + " " + told.getMessage() + " " + told.getThrown());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @BeforeEach
  final void listen() {
    log.setLevel(Level.INFO);
    log.addHandler(handler);
  }

  @AfterEach
  final void closeBroker() {
    log.removeHandler(handler);
    log.setLevel(null);
    if (broker != null) {
      broker.close();
    }
    timer.close();
  }

  private BrokerBuilder builder() {
    return Broker.builder()
        .timer(timer)
        .maxChannels(CHANNELS)
        .maxWatches(WATCHES)
        .maxTotalQueuedBytes(200_000)
        // When the test is over, for the clients that still stall.
        .drainTimeout(Duration.ofMillis(100))
        .messageRate(Limits.Rate.UNLIMITED)
        .router(
            next ->
                message ->
                    message.target().startsWith(LATER) ? later(message) : next.route(message));
  }

  private CompletionStage<Delivery> later(Message message) {
    CompletableFuture<Delivery> delivery = new CompletableFuture<>();
    waiting(message.target()).add(delivery);
    return delivery;
  }

  private BlockingQueue<CompletableFuture<Delivery>> waiting(String target) {
    return waiting.computeIfAbsent(target, any -> new LinkedBlockingQueue<>());
  }

  /** Starts the server, for a broker of the test's. */
  private Broker serve(ServerSettings settings) {
    Broker served = builder().build();
    broker = served;
    client(settings.serving(served));
    client().get("/list");
    return served;
  }

  @Test
  @DisplayName("Senders to a stalled reader get a 429, and the reader is given up at its timeout.")
  void aStalledReaderIsItsSendersTrouble() {
    client(
        ServerSettings.of("heartbeat", "200ms")
            .and("writeTimeout", "2s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(THREADS));
    WireChannel sender = client().openChannel();
    WireChannel neighbour = client().openChannel();
    SseStream list = client().watch("");
    list.await("ready");
    WireChannel stalled = openStalled();
    String sid = stalled.listSession("");
    assertThat(data(list.await("add")).get("sid").getAsString()).isEqualTo(sid);
    assertRefused(sendUntilRefused(sender, sid), 429, "target_busy");
    long busy = System.nanoTime();
    int heartbeats = list.comments().size();
    WireResponse response;
    int number = 0;
    do {
      long begin = System.nanoTime();
      assertSent(sender.send(neighbour.cid(), "" + ++number));
      assertThat(neighbour.awaitMessage().get("message").getAsInt()).isEqualTo(number);
      assertThat(since(begin)).isLessThan(Duration.ofSeconds(1));
      response = sendUntilRefused(sender, sid);
    } while (response.status() == 429);
    assertRefused(response, 404, "unknown_target");
    // The reader has stalled for a little longer than the sender knows.
    assertThat(since(busy)).isBetween(Duration.ofMillis(1_500), Duration.ofSeconds(7));
    assertThat(data(list.await("remove")).get("sid").getAsString()).isEqualTo(sid);
    assertThat(list.comments()).as("heartbeats meanwhile").hasSizeGreaterThan(heartbeats + 4);
    assertThat(logged).isEmpty();
  }

  @Test
  @DisplayName("A reader that pauses gets each accepted small message, once and in order.")
  void aPauseLosesNothing() {
    client(ServerSettings.of("messageRate", "0").and("maxQueuedEvents", 100).withThreads(THREADS));
    WireChannel sender = client().openChannel();
    WireChannel paused = openStalled();
    String filler = "x".repeat(1_000);
    int taken = 0;
    while (taken < MANY
        && sender.send(paused.cid(), "\"" + taken + filler + "\"").status() == 200) {
      taken++;
    }
    for (int i = 0; i < taken; i++) {
      assertThat(paused.awaitMessage().get("message").getAsString()).isEqualTo(i + filler);
    }
    assertThat(taken).as("of 1,000 bytes each, taken for a reader that paused").isLessThan(MANY);
    assertSent(sender.send(paused.cid(), "1"));
    assertThat(paused.awaitMessage().get("message").getAsInt()).isEqualTo(1);
  }

  @Test
  @Tag("C13")
  @DisplayName("The connection of a reader that was given up ends, though its client stays.")
  void aGivenUpReadersConnectionEnds() {
    client(
        ServerSettings.of("heartbeat", "200ms")
            .and("writeTimeout", "1s")
            .and("messageRate", "0")
            .and("maxQueuedBytes", 100_000)
            .withThreads(THREADS)
            .withClientTimeout(CLIENT_TIMEOUT));
    WireChannel sender = client().openChannel();
    assertSent(sender.send(sender.cid(), "1"));
    int before = sockets();
    // Twice as many as there are threads, and one more: if each keeps a thread for as long again,
    // the last connection ends after four of these timeouts.
    List<WireChannel> stalled =
        IntStream.range(0, 2 * THREADS + 1).mapToObj(i -> openStalled()).toList();
    List<String> cids = stalled.stream().map(WireChannel::cid).toList();
    cids.forEach(cid -> sendUntilRefused(sender, cid));
    awaitGivenUp(sender, cids);
    // The clients' own ends stay, and a request of this test may just be closing.
    await()
        .atMost(CLIENT_TIMEOUT.multipliedBy(3))
        .untilAsserted(
            () -> assertThat(sockets()).isLessThanOrEqualTo(before + stalled.size() + 1));
    stalled.forEach(channel -> channel.stream().close());
  }

  @Test
  @DisplayName("Streams that are dropped in every way free everything, once.")
  void whateverEndsAStreamFreesItOnce() {
    Broker fresh = builder().build();
    int room = room(fresh);
    fresh.close();
    Broker served =
        serve(
            ServerSettings.of("heartbeat", "200ms").and("writeTimeout", "1s").withThreads(THREADS));
    int descriptors = descriptors();
    for (int dropped = 0; dropped < DROPPED; dropped += WAVE) {
      dropOneWave();
    }
    awaitNothingIsLeft(descriptors);
    List<SseStream> all = new ArrayList<>();
    for (int i = 0; i < CHANNELS; i++) {
      all.add(client().openChannel().stream());
    }
    for (int i = 0; i < WATCHES; i++) {
      all.add(client().watch(""));
    }
    assertRefused(client().get("/channel"), 503, "at_capacity");
    assertRefused(client().get("/list", "Accept: text/event-stream"), 503, "at_capacity");
    all.forEach(SseStream::close);
    awaitNothingIsLeft(descriptors);
    assertThat(room(served)).isEqualTo(room);
    assertThat(logged).isEmpty();
  }

  private void dropOneWave() {
    List<SseStream> lists = new ArrayList<>();
    List<WireChannel> channels = new ArrayList<>();
    List<WireChannel> stalled = List.of(openStalled(), openStalled());
    for (int i = 2; i < WAVE; i++) {
      if (i % 7 == 0) {
        lists.add(client().watch(""));
      } else {
        String path = i % 5 == 0 ? "/channel?resume=1" : "/channel";
        WireChannel channel = client().openChannelAt(path);
        channel.listSession("");
        channels.add(channel);
      }
    }
    WireChannel sender = channels.get(0);
    stalled.forEach(channel -> sendUntilRefused(sender, channel.cid()));
    awaitGivenUp(sender, stalled.stream().map(WireChannel::cid).toList());
    stalled.forEach(channel -> channel.stream().close());
    for (int i = 0; i < channels.size(); i++) {
      drop(channels.get(i), i);
    }
    for (int i = 0; i < lists.size(); i++) {
      if (i % 2 == 0) {
        lists.get(i).reset();
      } else {
        lists.get(i).close();
      }
    }
    // The streams, and the graces of those that could have come back.
    await().atMost(WireConnection.BOUND).until(() -> timer.outstanding() == 0);
    assertThat(listed("")).isEmpty();
  }

  private static void drop(WireChannel channel, int i) {
    switch (i % 5) {
      case 0 -> channel.stream().reset();
      case 1 -> channel.stream().close();
      case 2 -> {
        channel.send(channel.cid(), "\"unread\"");
        channel.stream().close();
      }
      case 3 -> {
        channel.close();
        channel.stream().close();
      }
      default -> {
        channel.stream().reset();
        channel.send(channel.cid(), "\"written to one that has gone\"");
      }
    }
  }

  @Test
  @DisplayName("Answers that come too late for their clients damage no other, and leave nothing.")
  void lateAnswersToTheDead() throws InterruptedException {
    serve(ServerSettings.of("heartbeat", "200ms").withThreads(THREADS));
    int descriptors = descriptors();
    Queue<Throwable> damages = new ConcurrentLinkedQueue<>();
    ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
    try {
      for (int i = 0; i < WORKERS; i++) {
        String target = LATER + i;
        WireChannel sender = client().openChannel();
        workers.execute(
            () -> {
              for (int n = 0; n < REQUESTS / WORKERS; n++) {
                try {
                  answerTooLate(sender, target);
                  assertAlive();
                } catch (AssertionError | RuntimeException damage) {
                  damages.add(damage);
                }
              }
              sender.stream().close();
            });
      }
      workers.shutdown();
      assertThat(workers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      workers.shutdownNow();
    }
    assertThat(damages).as("requests that others' answers have damaged").isEmpty();
    awaitNothingIsLeft(descriptors);
    assertThat(logged).isEmpty();
  }

  private void answerTooLate(WireChannel sender, String target) {
    WireConnection connection = client().connect();
    connection.write(client().postRequest("/send/" + target, sender.sendBody("1")));
    CompletableFuture<Delivery> delivery;
    try {
      delivery = waiting(target).poll(WireConnection.BOUND.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
    assertThat(delivery).as("the message at the router").isNotNull();
    connection.reset();
    delivery.complete(new Delivery.Sent());
  }

  private void assertAlive() {
    WireChannel fresh = client().openChannel();
    assertSent(fresh.send(fresh.cid(), "1"));
    assertThat(fresh.awaitMessage().get("message").getAsInt()).isEqualTo(1);
    assertDone(fresh.close());
    fresh.stream().close();
  }

  @Test
  @DisplayName("Bodies that break off leave nothing, long before their timeout.")
  void brokenBodiesLeaveNothing() {
    serve(ServerSettings.of("bodyTimeout", "60m").withThreads(THREADS));
    int descriptors = descriptors();
    String head =
        client().head("POST", "/session", "Content-Type: application/json", "Content-Length: 1000");
    List<WireConnection> dribbling = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      dribbling.add(client().connect().write(head + "{"));
    }
    await().atMost(WireConnection.BOUND).until(() -> timer.outstanding() == dribbling.size());
    for (int i = 0; i < dribbling.size(); i++) {
      if (i % 2 == 0) {
        dribbling.get(i).reset();
      } else {
        dribbling.get(i).close();
      }
    }
    awaitNothingIsLeft(descriptors);
    assertAlive();
    assertThat(logged).isEmpty();
  }

  /** Waits until no task of the broker is left, and no connection at all. */
  private void awaitNothingIsLeft(int descriptors) {
    await()
        .atMost(WireConnection.BOUND)
        .untilAsserted(
            () -> {
              assertThat(timer.outstanding()).as("tasks").isZero();
              assertThat(descriptors()).as("descriptors").isLessThanOrEqualTo(descriptors + 2);
            });
  }

  /**
   * Returns how many files and sockets this process has open; 0 if the system does not report it.
   */
  private static int descriptors() {
    String[] open = new File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }

  /** Returns how many sockets this process has open; 0 if the system does not report it. */
  private static int sockets() {
    File[] open = new File("/proc/self/fd").listFiles();
    int sockets = 0;
    for (File each : open == null ? new File[0] : open) {
      try {
        if (Files.readSymbolicLink(each.toPath()).toString().startsWith("socket:")) {
          sockets++;
        }
      } catch (IOException closedMeanwhile) {
        // It is no longer one.
      }
    }
    return sockets;
  }

  /**
   * Returns how many messages can wait in all queues together, of a reader that reads only when
   * they are full.
   */
  private static int room(Broker broker) {
    // Turns begin late. A broker waits for those that never begin when it is closed.
    Queue<Runnable> turns = new ConcurrentLinkedQueue<>();
    int sent = 0;
    try (Channel reader = broker.openChannel((channel, message) -> {}, turns::add);
        Channel sender = broker.openChannel((channel, message) -> {}, turns::add)) {
      Json message = Json.of("x".repeat(400));
      while (sender.send(reader.id(), message).toCompletableFuture().join()
          instanceof Delivery.Sent) {
        sent++;
      }
    }
    for (Runnable turn = turns.poll(); turn != null; turn = turns.poll()) {
      turn.run();
    }
    return sent;
  }

  private static Duration since(long begin) {
    return Duration.ofNanos(System.nanoTime() - begin);
  }
}
