package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Watch;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What does a change cost that 10 watchers see, with many others who don't? Beside asking each
 * filter in turn.
 *
 * <p>64 sessions change in turn, all with the same tags, one of them the most frequent of all. The
 * measurement covers {@link Session#update} up to the moment in which every watcher's transport has
 * been woken, and not the transports' work after that.
 */
final class ChangeBenchmark implements Benchmark {

  private static final int SEEING = 10;
  private static final int CHANGING = 64;

  // Tags of the sessions that change: ranks, and one that only they have.
  private static final int FREQUENT = 0;
  private static final int MEDIUM = 50;
  private static final int SELDOM = 500;
  private static final int OTHER_SELDOM = 501;
  private static final String HERE = "here";

  /** A group of watchers. */
  private record Crowd(String name, Filters seeing, Filters blind) {}

  /** The filter of each watcher of a group, by its number. */
  @FunctionalInterface
  private interface Filters {
    String filter(int number);
  }

  @Override
  public void run(Scale scale, Report report) {
    int watchers = scale.watchers();
    List<Crowd> crowds = crowds(scale);
    table(report, "Change: seen by " + SEEING + " of " + Report.count(watchers) + " watchers");
    for (int size : scale.sizes()) {
      try (Broker broker = Population.broker()) {
        List<Channel> channels = Population.list(broker, 0, size, Population::spec);
        List<Session> changing = changing(broker);
        measure(scale, report, broker, size, changing, crowds.get(0), 0);
        for (Crowd crowd : crowds) {
          measure(scale, report, broker, size, changing, crowd, watchers - SEEING);
        }
        channels.forEach(Channel::close);
      }
    }

    table(report, "Change: seen by " + SEEING + ", and how the others add to it");
    int size = scale.sizes().get(0);
    try (Broker broker = Population.broker()) {
      List<Channel> channels = Population.list(broker, 0, size, Population::spec);
      List<Session> changing = changing(broker);
      measure(scale, report, broker, size, changing, crowds.get(0), 0);
      for (Crowd crowd : crowds) {
        for (int blind : scale.watcherCounts()) {
          measure(scale, report, broker, size, changing, crowd, blind);
        }
      }
      channels.forEach(Channel::close);
    }
  }

  private static void table(Report report, String title) {
    report.table(
        title,
        "the others' filters",
        "sessions",
        "other watches",
        "metadata changes, CPU µs",
        "best to worst round",
        "wall µs",
        "tags change, CPU µs",
        "each filter in turn, CPU µs",
        "in turn / change");
  }

  private static List<Session> changing(Broker broker) {
    Channel channel = Population.openChannel(broker);
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < CHANGING; i++) {
      sessions.add(channel.openSession(new SessionSpec(List.of(tags(SELDOM)), true, Json.NULL)));
    }
    return sessions;
  }

  private static String[] tags(int seldom) {
    return new String[] {
      HERE, Population.tag(FREQUENT), Population.tag(MEDIUM), Population.tag(seldom)
    };
  }

  private static List<Crowd> crowds(Scale scale) {
    int most = Math.max(scale.watchers(), Collections.max(scale.watcherCounts()));
    List<String> zipf = zipfFilters(most);
    String frequent = Population.tag(FREQUENT);
    Filters here = number -> HERE + ",!no" + number;
    return List.of(
        new Crowd("two tags, not a third, all distinct", here, zipf::get),
        new Crowd("the same, 100 distinct ones", here, n -> zipf.get(n % 100)),
        new Crowd(
            "the most frequent tag and one that nobody has, all distinct",
            here,
            n -> frequent + ",x" + n),
        new Crowd(
            "the most frequent tag, not one that the session has, all distinct",
            here,
            n -> frequent + ",!" + HERE + ",!x" + n),
        new Crowd(
            "the most frequent tag, not one that the session has, all equal",
            here,
            n -> frequent + ",!" + HERE),
        new Crowd(
            "only not a tag that the session has, all distinct",
            n -> "!no" + n,
            n -> "!" + HERE + ",!x" + n),
        new Crowd(
            "only not a tag that the session has, all equal", n -> "!no" + n, n -> "!" + HERE));
  }

  /** Two required tags and an excluded one, after Zipf's law, that no changing session passes. */
  private static List<String> zipfFilters(int count) {
    Set<String> distinct = new LinkedHashSet<>();
    var random = new SplittableRandom(1);
    Set<String> changing = new HashSet<>(List.of(tags(SELDOM)));
    changing.addAll(List.of(tags(OTHER_SELDOM)));
    while (distinct.size() < count) {
      String one = Population.tag(Population.rank(random));
      String two = Population.tag(Population.rank(random));
      String not = Population.tag(Population.rank(random));
      if (!one.equals(two) && !(changing.contains(one) && changing.contains(two))) {
        distinct.add(one + "," + two + ",!" + not);
      }
    }
    return List.copyOf(distinct);
  }

  private static void measure(
      Scale scale,
      Report report,
      Broker broker,
      int size,
      List<Session> changing,
      Crowd crowd,
      int blindCount) {
    List<Watch> watches = new ArrayList<>();
    List<CountingTransport> seeing = new ArrayList<>();
    for (int i = 0; i < SEEING; i++) {
      var watching = CountingTransport.watch(broker, TagFilter.parse(crowd.seeing().filter(i)));
      watches.add(watching.watch());
      seeing.add(watching.reader());
    }
    // The snapshot; the others' is not read, which makes no difference to a change
    seeing.forEach(CountingTransport::takeAll);
    for (int i = 0; i < blindCount; i++) {
      TagFilter filter = TagFilter.parse(crowd.blind().filter(i));
      watches.add(CountingTransport.watch(broker, filter).watch());
    }
    Runnable takeAll = () -> seeing.forEach(CountingTransport::takeAll);
    checkSeen(changing, seeing);

    int[] version = {0};
    Measurement metadata =
        Measurement.ofBursts(
            scale,
            CHANGING,
            takeAll,
            () -> {
              SessionUpdate update = SessionUpdate.nothing().withMetadata(Json.of(version[0]++));
              changing.forEach(session -> session.update(update));
              return changing.size();
            });
    Measurement tags =
        Measurement.ofBursts(
            scale,
            CHANGING,
            takeAll,
            () -> {
              boolean other = (version[0]++ & 1) == 0;
              SessionUpdate update =
                  SessionUpdate.nothing().withTags(tags(other ? OTHER_SELDOM : SELDOM));
              changing.forEach(session -> session.update(update));
              return changing.size();
            });
    SessionUpdate back = SessionUpdate.nothing().withTags(tags(SELDOM));
    changing.forEach(session -> session.update(back));

    List<TagFilter> filters = watches.stream().map(Watch::filter).toList();
    List<String> changed = List.of(tags(SELDOM));
    Measurement inTurn =
        Measurement.of(
            scale, () -> filters.stream().filter(filter -> filter.matches(changed)).count());
    report.row(
        blindCount == 0 ? "none" : crowd.name(),
        Report.count(size),
        Report.count(blindCount),
        metadata.cpu(),
        metadata.spread(),
        metadata.wall(),
        tags.cpu(),
        inTurn.cpu(),
        metadata.timesFasterThan(inTurn));
    watches.forEach(Watch::close);
  }

  /** Checks that all who should see a change do, or the figures mean nothing. */
  private static void checkSeen(List<Session> changing, List<CountingTransport> seeing) {
    changing.get(0).update(SessionUpdate.nothing().withMetadata(Json.of("seen?")));
    for (CountingTransport transport : seeing) {
      if (transport.takeAll() != 1) {
        throw new IllegalStateException("A watcher was not told of a change once");
      }
    }
  }
}
