package io.peerbroker.tck;

import static com.google.gson.JsonParser.parseString;
import static io.peerbroker.tck.WireChannel.data;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.FaultProxy.Way;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clients behind a network that fails: cut at every byte, cut again and again under a load,
 * vanished, and gone from one network to another.
 *
 * <p>The cuts under a load are 100, or as many as the system property {@code peerbroker.cuts} says.
 */
@Timeout(1_200)
public abstract class CutRules extends ServerRules {

  private static final int CUTS = Integer.getInteger("peerbroker.cuts", 100);

  /**
   * How far the sender may be ahead of the reader: well within the bound of what is kept for
   * replay.
   */
  private static final int AHEAD = 150;

  private static final String RESUMABLE = "/channel?resume=60";
  private static final ServerSettings FREE =
      ServerSettings.of("heartbeat", "60m").and("messageRate", "0");

  /** How much later than its lease a silence may be noticed on a busy machine. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  private final List<AutoCloseable> toClose = new ArrayList<>();

  /** For subclasses. */
  protected CutRules() {}

  @AfterEach
  final void closeWhatStandsBetween() throws Exception {
    for (AutoCloseable each : toClose) {
      each.close();
    }
  }

  @Test
  @Tag("R4")
  @DisplayName("A client whose stream is cut at every byte gets each event once, in order.")
  void cutAtEveryByte() {
    client(FREE);
    Network network = new Network();
    WireChannel sender = client().openChannel();
    int cuts = 0;
    int uncut = 0;
    // Beyond the last byte nothing is cut; a few more, since no two answers need be equally long.
    while (uncut < 5) {
      if (isCutAt(cuts + uncut, network, sender)) {
        cuts++;
      } else {
        uncut++;
      }
    }
    System.out.printf("CUT at each of %d positions%n", cuts);
    assertThat(cuts).isGreaterThan(400);
  }

  /**
   * Opens a channel on a stream that is cut, sends to it, comes back on a stream that is also cut,
   * and at last on one that is not.
   *
   * @return whether the first stream was cut before its last event was whole
   */
  private boolean isCutAt(int bytes, Network network, WireChannel sender) {
    network.proxy.cutAfter(bytes);
    SseStream first = network.open(RESUMABLE, "");
    Event opened = first == null ? null : first.nextUnlessEnded();
    if (first == null || opened == null) {
      return true;
    }
    String cid = data(opened).get("cid").getAsString();
    for (int i = 1; i <= 2; i++) {
      assertThat(sender.send(cid, "" + i).status()).isEqualTo(200);
    }
    List<Event> seen = new ArrayList<>(List.of(opened));
    boolean whole = read(first, 3, seen);
    first.close();
    network.proxy.cutAfter(bytes);
    SseStream second = network.open("/channel", lastId(seen));
    if (second != null) {
      read(second, 3, seen);
      second.close();
    }
    network.proxy.cutAfter(Long.MAX_VALUE);
    SseStream third = client().openStream("/channel", lastId(seen));
    assertThat(sender.send(cid, "3").status()).isEqualTo(200);
    read(third, 4, seen);
    third.close();
    assertThat(opened.name()).isEqualTo("channel");
    assertThat(seen.stream().skip(1).map(CutRules::number))
        .as("after a cut at %d", bytes)
        .containsExactly(1, 2, 3);
    return !whole;
  }

  /** Reads until so many have been seen, and returns whether they were there before the end. */
  private static boolean read(SseStream stream, int count, List<Event> seen) {
    while (seen.size() < count) {
      Event event = stream.nextUnlessEnded();
      if (event == null) {
        return false;
      }
      seen.add(event);
    }
    return true;
  }

  private static String lastId(List<Event> seen) {
    return "Last-Event-ID: " + seen.get(seen.size() - 1).lastEventId();
  }

  @Test
  @Tag("R4")
  @Tag("R7")
  @Tag("C8")
  @DisplayName("A client that is cut again and again under load misses and repeats nothing.")
  void cutsUnderLoad() throws Exception {
    client(FREE);
    Semaphore room = new Semaphore(AHEAD);
    Roamer roamer = new Roamer(client().openChannelAt(RESUMABLE), room);
    Sender sender = new Sender(roamer.cid, room);
    ExecutorService executor = Executors.newSingleThreadExecutor(CutRules::daemon);
    long begin = System.nanoTime();
    try {
      CompletableFuture<Void> sending = CompletableFuture.runAsync(sender, executor);
      Random random = new Random(42);
      for (int i = 0; i < CUTS; i++) {
        assertThat(sending).isNotCompleted();
        roamer.sufferCut(i, random);
      }
      sender.enough = true;
      roamer.comeBack();
      // Messages under way are read meanwhile, or the sender would wait for room.
      while (!sending.isDone() || roamer.received < sender.sent) {
        if (roamer.received < sender.sent) {
          roamer.take(requireNonNull(requireNonNull(roamer.stream).nextUnlessEnded()));
        }
      }
      sending.get(20, TimeUnit.SECONDS);
      // And nothing behind it.
      assertThat(sender.send().status()).isEqualTo(200);
      roamer.take(requireNonNull(requireNonNull(roamer.stream).nextUnlessEnded()));
      System.out.printf(
          "%d CUTS in %d ms: %d messages, %d of them answered as queued%n",
          CUTS, Duration.ofNanos(System.nanoTime() - begin).toMillis(), sender.sent, sender.queued);
      assertThat(roamer.received).isEqualTo(sender.sent);
      assertThat(sender.queued).as("messages that met no stream").isGreaterThan(0);
    } finally {
      sender.enough = true;
      executor.shutdownNow();
    }
  }

  /** Sends numbered messages one after another, as long as there is room. */
  private final class Sender implements Runnable {
    private final WireChannel channel = client().openChannel();
    private final String target;
    private final Semaphore room;
    volatile boolean enough;
    volatile int sent;
    volatile int queued;

    Sender(String target, Semaphore room) {
      this.target = target;
      this.room = room;
    }

    @Override
    public void run() {
      WireConnection connection = client().connect();
      try {
        while (!enough) {
          if (room.tryAcquire(10, TimeUnit.MILLISECONDS)) {
            WireResponse response = connection.write(request()).readResponse();
            count(response);
            // Tomcat takes 100 requests on a connection.
            if (response.headerList("Connection").contains("close")) {
              connection.close();
              connection = client().connect();
            }
          }
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      } finally {
        connection.close();
      }
    }

    WireResponse send() {
      WireResponse response = channel.send(target, message());
      count(response);
      return response;
    }

    private String request() {
      return client().postRequest("/send/" + target, channel.sendBody(message()));
    }

    private String message() {
      return "[" + sent + ",\"" + "x".repeat(sent * 37 % 400) + "\"]";
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    private void count(WireResponse response) {
      assertThat(response.status()).as("%s", response).isEqualTo(200);
      queued += response.member("delivery").equals("queued") ? 1 : 0;
      sent++;
    }
  }

  /** A client that comes back from every cut, and reads messages that are numbered. */
  private final class Roamer {
    private final Network network = new Network();
    private final Semaphore room;
    final String cid;
    private String last;
    @Nullable SseStream stream;
    int received;

    Roamer(WireChannel channel, Semaphore room) {
      this.room = room;
      cid = channel.cid();
      stream = channel.stream();
      last = channel.stream().lastEventId();
    }

    /** One of five cuts. */
    void sufferCut(int i, Random random) {
      switch (i % 5) {
        case 0, 1 -> {
          network.proxy.cutAfter(random.nextInt(6_000));
          comeBack();
          readToEnd();
        }
        case 2 -> {
          comeBack();
          read(random.nextInt(40));
          network.proxy.reset();
          readToEnd();
        }
        case 3 -> {
          comeBack();
          read(random.nextInt(40));
          SseStream before = requireNonNull(stream);
          comeBack();
          // The old stream may have been given more before, which comes again on the new one; but
          // not after.
          Event farewell = before.await("close");
          assertThat(data(farewell)).isEqualTo(parseString("{\"reason\":\"superseded\"}"));
          before.awaitEnd();
          before.close();
          read(1);
        }
        default -> {
          comeBack();
          read(random.nextInt(40));
          network.proxy.use(Way.DEAF);
          stream = client().openStream("/channel", "Last-Event-ID: " + last);
          read(random.nextInt(40));
          network.proxy.reset();
          network.proxy.use(Way.PASS);
        }
      }
    }

    void comeBack() {
      stream = network.open("/channel", "Last-Event-ID: " + last);
    }

    private void read(int count) {
      for (int i = 0; i < count; i++) {
        take(requireNonNull(requireNonNull(stream).nextUnlessEnded(), "the stream has ended"));
      }
    }

    private void readToEnd() {
      if (stream != null) {
        int begin = received;
        for (Event event = stream.nextUnlessEnded(); event != null; ) {
          take(event);
          assertThat(received - begin).as("messages after the cut").isLessThan(10_000);
          event = stream.nextUnlessEnded();
        }
        stream.close();
      }
    }

    void take(Event event) {
      assertThat(event.name()).isEqualTo("message");
      assertThat(number(event)).as("the next message").isEqualTo(received);
      received++;
      last = event.lastEventId();
      room.release();
    }
  }

  @Test
  @Tag("R9")
  @DisplayName("A client that has missed more than is kept gets a new channel, never a gap.")
  void beyondTheBoundAClientIsTold() {
    client(FREE.and("maxReplayEvents", 16));
    WireChannel sender = client().openChannel();
    for (int missed : List.of(0, 1, 15, 16, 17, 18, 40, 200)) {
      Network network = new Network();
      WireChannel channel = network.client.openChannelAt(RESUMABLE);
      sendNumbers(sender, channel.cid(), 0, 3);
      channel.stream().await(event -> number(event) == 2);
      network.proxy.use(Way.DEAF);
      sendNumbers(sender, channel.cid(), 3, 3 + missed);
      await().atMost(WireConnection.BOUND).until(() -> network.proxy.forgotten() >= 150L * missed);
      SseStream back = client().openStream("/channel", lastId(channel.stream().events()));
      int status = sender.send(channel.cid(), "" + (3 + missed)).status();
      if (status == 200) {
        assertThat(missed).as("missed and kept").isLessThan(40);
        for (int i = 3; i <= 3 + missed; i++) {
          assertThat(number(back.next())).isEqualTo(i);
        }
      } else {
        assertThat(missed).as("missed and not kept").isGreaterThan(16);
        assertThat(status).isEqualTo(404);
        Event opened = back.next();
        assertThat(opened.name()).isEqualTo("channel");
        assertThat(data(opened).get("cid").getAsString()).isNotEqualTo(channel.cid());
      }
    }
  }

  @Test
  @Tag("R15")
  @Tag("R13")
  @DisplayName("A client that has vanished is noticed by its lease, on time, and by nothing else.")
  void aVanishedClientIsNoticed() {
    client(ServerSettings.of("leaseBounds", "1s/300s").and("heartbeat", "200ms"));
    Network network = new Network();
    SseStream list = client().watch("");
    list.await("ready");
    String left = network.client.openChannel().listSession("");
    WireChannel pinging = network.client.openChannelAt("/channel?lease=2");
    WireChannel vanishing = network.client.openChannelAt("/channel?lease=2");
    String pinged = pinging.listSession("");
    String vanished = vanishing.listSession("");
    network.proxy.use(Way.DEAF);
    WireClient elsewhere = client();
    String ping = "{\"key\":\"" + pinging.key() + "\"}";
    String path = "/channel/" + pinging.cid() + "/ping";
    long heard = System.nanoTime();
    ScheduledExecutorService pinger = Executors.newSingleThreadScheduledExecutor(CutRules::daemon);
    try {
      var unused =
          pinger.scheduleAtFixedRate(
              () -> elsewhere.postJson(path, ping), 0, 300, TimeUnit.MILLISECONDS);
      assertThat(data(list.await("remove")).get("sid").getAsString()).isEqualTo(vanished);
      assertLeaseIsKeptTo(heard);
    } finally {
      pinger.shutdown();
    }
    assertThat(listed("")).containsExactly(left, pinged);
    assertThat(elsewhere.postJson(path, ping).status()).isEqualTo(200);
    heard = System.nanoTime();
    assertThat(data(list.await("remove")).get("sid").getAsString()).isEqualTo(pinged);
    assertLeaseIsKeptTo(heard);
    assertThat(listed("")).containsExactly(left);
  }

  /** Of two seconds. The broker has heard a little before it was known here. */
  private static void assertLeaseIsKeptTo(long heard) {
    assertThat(Duration.ofNanos(System.nanoTime() - heard))
        .isBetween(Duration.ofMillis(1_500), Duration.ofMillis(2_000).plus(SLACK));
  }

  @Test
  @Tag("R7")
  @Tag("C17")
  @DisplayName("A client that changes networks goes on at once; its old stream is superseded.")
  void aChangeOfNetworks() {
    WireChannel sender = client(FREE).openChannel();
    Network wifi = new Network();
    Network mobile = new Network();
    WireChannel channel = wifi.client.openChannelAt(RESUMABLE);
    sendNumbers(sender, channel.cid(), 0, 2);
    channel.stream().await(event -> number(event) == 1);
    wifi.proxy.use(Way.STALL);
    sendNumbers(sender, channel.cid(), 2, 4);
    assertSent(sender.send(channel.cid(), "4"));
    long begin = System.nanoTime();
    SseStream back = mobile.client.openStream("/channel", lastId(channel.stream().events()));
    for (int i = 2; i < 5; i++) {
      assertThat(number(back.next())).isEqualTo(i);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(1));
    sendNumbers(sender, channel.cid(), 5, 7);
    wifi.proxy.use(Way.PASS);
    Event last = channel.stream().await("close");
    assertThat(data(last)).isEqualTo(parseString("{\"reason\":\"superseded\"}"));
    assertThat(channel.stream().awaitEnd()).isEqualTo(SseStream.End.COMPLETE);
    assertThat(channel.stream().events()).noneMatch(event -> number(event) > 4);
    for (int i = 5; i < 7; i++) {
      assertThat(number(back.next())).isEqualTo(i);
    }
  }

  private static void sendNumbers(WireChannel sender, String target, int from, int to) {
    for (int i = from; i < to; i++) {
      assertThat(sender.send(target, "" + i).status()).isEqualTo(200);
    }
  }

  /** The number that a message is, or begins with; -1 for every other event. */
  private static int number(Event event) {
    if (!event.name().equals("message")) {
      return -1;
    }
    JsonElement message = data(event).get("message");
    return (message.isJsonArray() ? message.getAsJsonArray().get(0) : message).getAsInt();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "cut-rules");
    thread.setDaemon(true);
    return thread;
  }

  /** A way to the server that fails on request, and a client at its other end. */
  private final class Network {
    final FaultProxy proxy = FaultProxy.before(server().base());
    final WireClient client = new WireClient(proxy.base());

    Network() {
      toClose.add(client);
      toClose.add(proxy);
    }

    /** Opens a stream, or returns null if it is cut before it has begun. */
    @Nullable SseStream open(String path, String headerLine) {
      try {
        return client.openStream(path, headerLine);
      } catch (UncheckedIOException cut) {
        return null;
      }
    }
  }
}
