package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How much heap the broker's own part of each thing takes that a client can have: a program to run
 * by hand. The container's part of a stream comes on top.
 *
 * <p>The one argument, 2,000 by default, is how many of each are made. The class path is that of
 * the tests:
 *
 * <pre>
 *   mvn -pl broker-core test-compile dependency:build-classpath -Dmdep.outputFile=target/cp
 *   cd broker-core
 *   java -Xmx2g -cp target/classes:target/test-classes:$(cat target/cp) io.peerbroker.core.LimitsMemory
 * </pre>
 */
final class LimitsMemory {

  private static final Receiver NOBODY = (channel, message) -> {};

  private LimitsMemory() {}

  public static void main(String[] args) {
    int count = args.length > 0 ? Integer.parseInt(args[0]) : 2_000;
    for (boolean open : new boolean[] {false, true}) {
      BrokerBuilder builder = open ? Broker.builder().openToEverybody() : Broker.builder();
      Broker broker = builder.sessionRate(Limits.Rate.UNLIMITED).maxSessionsPerChannel(1).build();
      System.out.println(open ? "open to everybody" : "defaults");
      List<Channel> channels = new ArrayList<>();
      measure("idle channel", count, i -> channels.add(broker.openChannel(NOBODY, Runnable::run)));
      measure("session without anything", count / 2, i -> host(channels.get(i), i, 0, 2));
      Limits limits = broker.limits();
      measure(
          "largest session",
          count / 2,
          i ->
              host(
                  channels.get(count / 2 + i),
                  i,
                  limits.maxTagsPerSession(),
                  limits.maxMetadataBytes()));
      measure("list stream", count, i -> watch(broker, "nobody"));
      measure("list stream with the longest filter", count, i -> watch(broker, longestFilter(i)));
      List<ManualTransport> lines = new ArrayList<>();
      for (int i = 0; i < count / 10; i++) {
        lines.add(
            ManualTransport.open(broker, ChannelOptions.none().withResume(limits.maxResume())));
        lines.get(i).readAll();
      }
      measure("ends of a channel's lists", count / 10, i -> endLists(broker, lines.get(i)));
      broker.close();
    }
  }

  /** As many ends as possible: the last ones, which were read, and one name's, which were not. */
  private static void endLists(Broker broker, ManualTransport line) {
    int max = broker.limits().maxWatchesPerChannel();
    for (int i = 0; i < max; i++) {
      endList(broker, line.channel, i);
    }
    line.readAll();
    line.read.clear();
    for (int i = 0; i < 2 * max; i++) {
      endList(broker, line.channel, max);
    }
  }

  private static void endList(Broker broker, Channel channel, int number) {
    Request.Actor actor = Request.Actor.of(channel.id()).withKey(channel.key());
    // The longest names: 64 code points of two chars each.
    String name = Character.toString(0x20000 + number) + "\uD83D\uDE00".repeat(63);
    Stream.of(new Request.Watch(actor, name, TagFilter.all()), new Request.Unwatch(actor, name))
        .forEach(
            request ->
                assertThat(broker.gateway().perform(request).toCompletableFuture().join())
                    .isEqualTo(Answer.Done.DONE));
  }

  private static void host(Channel channel, int number, int tags, int metadata) {
    // The largest tags: 64 code points of two chars each, none on another session.
    String[] all =
        IntStream.range(0, tags)
            .mapToObj(
                i ->
                    "\uD83D\uDE00".repeat(62)
                        + Character.toString(0x20000 + i)
                        + Character.toString(0x20000 + number))
            .toArray(String[]::new);
    channel.openSession(SessionSpec.listed(all).withMetadata(Json.of("x".repeat(metadata - 2))));
  }

  private static void watch(Broker broker, String filter) {
    Watch unused = broker.watch(TagFilter.parse(filter), new Replay(), Runnable::run);
  }

  /** 512 terms of one character each. */
  private static String longestFilter(int number) {
    return IntStream.range(0, 512)
        .mapToObj(i -> Character.toString(0x4E00 + (i * 31 + number) % 20_000))
        .collect(Collectors.joining(","));
  }

  private static void measure(String what, int count, IntConsumer make) {
    long before = ResumeMemory.usedHeap();
    IntStream.range(0, count).forEach(make);
    System.out.printf(
        Locale.ROOT, "%-40s %,8d bytes%n", what, (ResumeMemory.usedHeap() - before) / count);
  }
}
