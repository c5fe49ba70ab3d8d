package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How much heap channels take that keep what they have been sent: a program to run by hand.
 *
 * <p>Arguments, each with a default: how many channels, messages for each, bytes of a message. The
 * class path is that of the tests:
 *
 * <pre>
 *   mvn -pl broker-core test-compile dependency:build-classpath -Dmdep.outputFile=target/cp
 *   cd broker-core
 *   java -Xmx2g -cp target/classes:target/test-classes:$(cat target/cp) io.peerbroker.core.ResumeMemory
 * </pre>
 */
final class ResumeMemory {

  private ResumeMemory() {}

  public static void main(String[] args) {
    int channels = argument(args, 0, 10_000);
    int messages = argument(args, 1, 100);
    int bytes = argument(args, 2, 1_500);
    long before = usedHeap();
    LocalBroker broker = (LocalBroker) Broker.builder().messageRate(Limits.Rate.UNLIMITED).build();
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofMinutes(1));
    List<ManualTransport> lines = new ArrayList<>();
    for (int i = 0; i < channels; i++) {
      ManualTransport line = new ManualTransport();
      line.channel = Wired.openChannel(broker, options, line::attach);
      lines.add(line);
    }
    System.out.printf(
        Locale.ROOT, "%,d channels: %,d bytes each%n", channels, (usedHeap() - before) / channels);
    int refused = 0;
    for (int i = 0; i < messages; i++) {
      for (int to = 0; to < channels; to++) {
        refused += send(lines.get((to + 1) % channels), lines.get(to), bytes) ? 0 : 1;
        lines.get(to).forward();
      }
    }
    long heap = usedHeap() - before;
    long counted = broker.budgets.queues.used();
    System.out.printf(
        Locale.ROOT,
        "%,d messages of %,d bytes to each, taken and not confirmed; %,d refused%n",
        messages,
        bytes,
        refused);
    System.out.printf(
        Locale.ROOT,
        "budget counts %,.1f MiB (%,.1f KiB each); heap used %,.1f MiB: %.2f times that%n",
        counted / 1_048_576.0,
        counted / 1024.0 / channels,
        heap / 1_048_576.0,
        (double) heap / counted);
    broker.close();
  }

  private static int argument(String[] args, int at, int otherwise) {
    return args.length > at ? Integer.parseInt(args[at]) : otherwise;
  }

  /** Returns a message as from a request: everything in it is its own copy. */
  private static boolean send(ManualTransport from, ManualTransport to, int bytes) {
    Message message =
        new Message(
            new String(from.channel.id().toCharArray()),
            new String(to.channel.id().toCharArray()),
            Json.parse("\"" + "x".repeat(Math.max(0, bytes - 2)) + "\""));
    return !(from.channel.send(message).toCompletableFuture().join() instanceof Delivery.Refused);
  }

  static long usedHeap() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
