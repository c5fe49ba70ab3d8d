package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Page;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What does a query for 100 of the listed sessions cost, with kind filters and with unkind ones?
 * Beside a scan over an array of the same tags.
 *
 * <p>Some sessions are fixed, so that each filter finds about 100 at every size: see {@link #spec}.
 */
final class QueryBenchmark implements Benchmark {

  private static final int LIMIT = 100;

  // Ranks of tags.
  private static final int MOST_FREQUENT = 0;
  private static final int LEFT = 1;
  private static final int RIGHT = 2;
  private static final int FREQUENT = 3;
  private static final int EXCLUDED = 5;

  /**
   * The place from which a query goes on.
   *
   * @param after the cursor; null for the list's beginning
   * @param place how many sessions come before it
   */
  private record Start(@Nullable String after, int place) {
    static final Start BEGINNING = new Start(null, 0);
  }

  /** A query: its description, its filter, and the place from which it goes on. */
  private record Query(String name, TagFilter filter, Start start) {}

  @Override
  public void run(Scale scale, Report report) {
    report.table(
        "Query: a page of " + LIMIT,
        "filter",
        "sessions",
        "found",
        "CPU µs",
        "best to worst round",
        "wall µs",
        "scan, CPU µs",
        "scan / query");
    for (int size : scale.sizes()) {
      try (Broker broker = Population.broker()) {
        List<Channel> channels = Population.list(broker, 0, size, number -> spec(number, size));
        List<List<String>> scanned = new ArrayList<>(size);
        for (int number = 0; number < size; number++) {
          scanned.add(spec(number, size).tags());
        }
        for (Query query : queries(broker)) {
          row(scale, report, broker, scanned, query);
        }
        channels.forEach(Channel::close);
      }
    }
  }

  private static void row(
      Scale scale, Report report, Broker broker, List<List<String>> scanned, Query query) {
    TagFilter filter = query.filter();
    String after = query.start().after();
    Measurement asked =
        Measurement.of(scale, () -> broker.list(filter, LIMIT, after).sessions().size());
    int place = query.start().place();
    Measurement scan = Measurement.of(scale, () -> scan(scanned, place, filter));
    report.row(
        query.name(),
        Report.count(scanned.size()),
        Integer.toString(broker.list(filter, LIMIT, after).sessions().size()),
        asked.cpu(),
        asked.spread(),
        asked.wall(),
        scan.cpu(),
        asked.timesFasterThan(scan));
  }

  /** The yardstick: scans the sessions one by one, until it has as many as a page, and one more. */
  private static long scan(List<List<String>> all, int from, TagFilter filter) {
    List<List<String>> found = new ArrayList<>();
    for (int i = from; i < all.size() && found.size() <= LIMIT; i++) {
      if (filter.matches(all.get(i))) {
        found.add(all.get(i));
      }
    }
    return found.size();
  }

  /**
   * A session of the population, with some things arranged: the tags {@link #LEFT} and {@link
   * #RIGHT} come together in 100 only; 100 have {@code rare} and the most frequent tag, 100 more
   * {@code rare} alone; all but 100 have {@code usual}.
   */
  private static SessionSpec spec(int number, int size) {
    List<String> tags = new ArrayList<>(Population.tags(number));
    int every = Math.max(1, size / LIMIT);
    if (number % every == 0) {
      tags.removeAll(tags(EXCLUDED, LEFT, RIGHT, MOST_FREQUENT));
      tags.addAll(tags(LEFT, RIGHT, MOST_FREQUENT));
      tags.add("rare");
    } else {
      if (tags.contains(Population.tag(LEFT))) {
        tags.remove(Population.tag(RIGHT));
      }
      if (number % every == every / 2) {
        tags.remove(Population.tag(MOST_FREQUENT));
        tags.add("rare");
      }
      tags.add("usual");
    }
    return new SessionSpec(tags, true, Population.metadata(number));
  }

  private static List<String> tags(int... ranks) {
    return Arrays.stream(ranks).mapToObj(Population::tag).toList();
  }

  private static List<Query> queries(Broker broker) {
    TagFilter frequent = filter("%s,%s,!%s", MOST_FREQUENT, FREQUENT, EXCLUDED);
    TagFilter all = TagFilter.all();
    Start beginning = Start.BEGINNING;
    return List.of(
        new Query("two frequent tags, not a third", frequent, beginning),
        new Query("the same, from the list's middle", frequent, middle(broker)),
        new Query(
            "a frequent and a rare tag, not a third",
            filter("%s,rare,!%s", MOST_FREQUENT, EXCLUDED),
            beginning),
        new Query(
            "two frequent tags that hardly ever come together, not a third",
            filter("%s,%s,!%s", LEFT, RIGHT, EXCLUDED),
            beginning),
        new Query(
            "a frequent tag and one that nobody has",
            filter("%s,nobody", MOST_FREQUENT),
            beginning),
        new Query("not two frequent tags", filter("!%s,!%s", MOST_FREQUENT, FREQUENT), beginning),
        new Query("not the tag that nearly all have", TagFilter.parse("!usual"), beginning),
        new Query("no filter", all, beginning),
        new Query("no filter, from the list's middle", all, middle(broker)));
  }

  private static TagFilter filter(String format, Object... ranks) {
    return TagFilter.parse(
        format.formatted(Arrays.stream(ranks).map(rank -> Population.tag((int) rank)).toArray()));
  }

  /** The beginning of the middle page of all. */
  private static Start middle(Broker broker) {
    List<Start> starts = new ArrayList<>();
    Page page = broker.list(TagFilter.all(), LIMIT, null);
    int place = 0;
    for (String next; (next = page.next()) != null; ) {
      place += page.sessions().size();
      starts.add(new Start(next, place));
      page = broker.list(TagFilter.all(), LIMIT, next);
    }
    return starts.get(starts.size() / 2);
  }
}
