package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.management.ThreadMXBean;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Receiver;
import io.peerbroker.core.Request;
import io.peerbroker.json.JsonMembers;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.json.RequestPath;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * What does a message cost without a network? From channel to channel in this JVM, beside queues
 * behind locks; and reading the body of a request that sends one, beside Gson.
 */
final class MessageBenchmark implements Benchmark {

  private static final int[] CHANNELS = {2, 10_000};
  private static final int MESSAGE_BYTES = 1_500;
  private static final int ALLOCATIONS = 10_000;
  private static final long SEED = 7;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** A queue of the yardstick. */
  private record Mailbox(ReentrantLock lock, ArrayDeque<Json> queue) {

    Mailbox() {
      this(new ReentrantLock(), new ArrayDeque<>());
    }

    void offer(Json message) {
      lock.lock();
      try {
        queue.add(message);
      } finally {
        lock.unlock();
      }
    }

    Json poll() {
      lock.lock();
      try {
        return queue.remove();
      } finally {
        lock.unlock();
      }
    }
  }

  @Override
  public void run(Scale scale, Report report) {
    Json message = Json.parse(new String(message(), UTF_8));
    report.table(
        "A message of 1,500 bytes from one channel to another, both in this JVM, received on the"
            + " sender's thread",
        "channels",
        "CPU µs",
        "best to worst round",
        "messages a second of CPU",
        "bytes allocated",
        "a map and queues, CPU µs",
        "message / map and queues");
    for (int channels : CHANNELS) {
      relay(scale, report, channels, message);
    }
    body(scale, report);
  }

  private static void relay(Scale scale, Report report, int count, Json message) {
    long[] received = new long[1];
    Receiver counting = (channel, each) -> received[0]++;
    try (Broker broker = Population.broker()) {
      List<Channel> channels = new ArrayList<>();
      List<String> ids = new ArrayList<>();
      ConcurrentHashMap<String, Mailbox> mailboxes = new ConcurrentHashMap<>();
      for (int i = 0; i < count; i++) {
        Channel channel = broker.openChannel(counting, Runnable::run);
        channels.add(channel);
        // As from a request: not the string that is the map's key.
        ids.add(new String(channel.id().toCharArray()));
        mailboxes.put(UUID.fromString(channel.id()).toString(), new Mailbox());
      }
      SplittableRandom random = new SplittableRandom(SEED);
      LongSupplier send =
          () -> {
            Channel origin = channels.get(random.nextInt(count));
            String target = ids.get(random.nextInt(count));
            return origin.send(target, message) == Delivery.sent() ? 1 : 0;
          };
      Measurement own = Measurement.of(scale, send);
      long bytes = allocated(send);
      Measurement queues =
          Measurement.of(
              scale,
              () -> {
                // The origin must be there too, and be open.
                Objects.requireNonNull(mailboxes.get(ids.get(random.nextInt(count))));
                Mailbox target =
                    Objects.requireNonNull(mailboxes.get(ids.get(random.nextInt(count))));
                target.offer(message);
                return target.poll().length();
              });
      report.row(
          Report.count(count),
          own.cpu(),
          own.spread(),
          Report.count(Math.round(1e9 / own.cpuNanos())),
          Report.count(bytes),
          queues.cpu(),
          own.timesSlowerThan(queues));
      if (received[0] == 0) {
        throw new IllegalStateException("Nothing was received");
      }
    }
  }

  private static void body(Scale scale, Report report) {
    RequestPath path = Objects.requireNonNull(RequestPath.of("/send/" + UUID.randomUUID()));
    byte[] body = sendBody();
    int depth = maxDepth();
    JsonRequests requests = new JsonRequests(Duration.ofSeconds(20));
    LongSupplier read =
        () -> ((Request.Send) requests.read(path, JsonMembers.of(body, depth))).messages().size();
    Measurement own = Measurement.of(scale, read);
    LongSupplier parse =
        () -> {
          JsonObject object = JsonParser.parseString(new String(body, UTF_8)).getAsJsonObject();
          return object.get("origin").getAsString().length()
              + (long) object.get("message").hashCode();
        };
    Measurement gson = Measurement.of(scale, parse);
    report.table(
        "Reading the body of a `POST /send` with that message: checked to the last byte, and cut",
        "bytes",
        "CPU µs",
        "best to worst round",
        "bytes allocated",
        "a tree of Gson, CPU µs",
        "body / tree",
        "bytes allocated by Gson");
    report.row(
        Report.count(body.length),
        own.cpu(),
        own.spread(),
        Report.count(allocated(read)),
        gson.cpu(),
        own.timesSlowerThan(gson),
        Report.count(allocated(parse)));
  }

  private static int maxDepth() {
    try (Broker broker = Broker.create()) {
      return broker.gateway().limits().maxJsonDepth();
    }
  }

  private static byte[] message() {
    ByteBuffer bytes = ByteBuffer.allocate(MESSAGE_BYTES);
    new LoadMessage(MESSAGE_BYTES).put(bytes, 0);
    return bytes.array();
  }

  private static byte[] sendBody() {
    return ("{\"origin\":\""
            + UUID.randomUUID()
            + "\",\"key\":\""
            + "k".repeat(22)
            + "\",\"message\":"
            + new String(message(), UTF_8)
            + "}")
        .getBytes(UTF_8);
  }

  /** Returns how many bytes an operation allocates on average. */
  private static long allocated(LongSupplier operation) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < ALLOCATIONS; i++) {
      long unused = operation.getAsLong();
    }
    return (THREADS.getCurrentThreadAllocatedBytes() - before) / ALLOCATIONS;
  }
}
