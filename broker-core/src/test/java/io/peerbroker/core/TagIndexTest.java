package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.MAP;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The index against a walk over all sessions. */
final class TagIndexTest {

  private static final List<String> TAGS =
      IntStream.range(0, 12).mapToObj(i -> Integer.toString(i, 36)).toList();

  private final LocalBroker broker = (LocalBroker) Broker.create();
  private final LocalChannel host =
      broker.newChannel(ChannelOptions.none(), LocalChannel.Side.OWN, null);
  private final TagIndex<LocalSession> index = new TagIndex<>();

  /** The content of the index: each session's tags, in order of creation. */
  private final TreeMap<Long, List<String>> model = new TreeMap<>();

  private final Map<Long, LocalSession> sessions = new LinkedHashMap<>();

  private LocalSession session(long number) {
    return sessions.computeIfAbsent(
        number,
        n ->
            new LocalSession(
                host,
                new SessionRef(Ids.NO_TAG, n, n, "s" + n),
                SessionState.of(SessionSpec.listed())));
  }

  private void put(long number, List<String> tags) {
    List<String> before = model.put(number, tags);
    if (before == null) {
      index.add(session(number), tags);
    } else {
      index.retag(session(number), before, tags);
    }
  }

  private void remove(long number) {
    index.remove(session(number), model.remove(number));
  }

  private List<Long> expected(TagFilter filter, long after, long upTo) {
    return model.entrySet().stream()
        .filter(entry -> entry.getKey() > after && entry.getKey() <= upTo)
        .filter(entry -> filter.matches(entry.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private List<Long> found(TagFilter filter, long after, long upTo, int max) {
    List<Long> numbers = new ArrayList<>();
    long at = after;
    while (at < upTo) {
      List<LocalSession> some = new ArrayList<>();
      long to = index.find(ParsedFilter.of(filter), at, upTo, max, some);
      assertThat(to).as("goes on").isGreaterThan(at).isLessThanOrEqualTo(upTo);
      assertThat(some).hasSizeLessThanOrEqualTo(max);
      long from = at;
      assertThat(some).allMatch(session -> session.number > from && session.number <= to);
      some.forEach(session -> numbers.add(session.number));
      at = to;
    }
    return numbers;
  }

  @Property(tries = 25)
  void findsWhatAWalkFinds(@ForAll long seed, @ForAll @IntRange(min = 1, max = 60) int gap) {
    Random random = new Random(seed);
    long created = 0;
    for (int i = 0; i < 2_000; i++) {
      int choice = random.nextInt(10);
      if (choice < 6 || model.isEmpty()) {
        created += 1 + random.nextInt(gap);
        put(created, tags(random));
      } else {
        long number = model.ceilingKey((long) (random.nextDouble() * model.lastKey()));
        if (choice < 8) {
          put(number, tags(random));
        } else {
          remove(number);
        }
      }
    }
    for (int i = 0; i < 200; i++) {
      TagFilter filter = filter(random);
      long after = random.nextInt(3) == 0 ? 0 : (long) (random.nextDouble() * created);
      long upTo = random.nextInt(3) == 0 ? Long.MAX_VALUE : after + random.nextInt(2_000);
      assertThat(found(filter, after, upTo, 1 + random.nextInt(100)))
          .as("%s in %s to %s", filter, after, upTo)
          .isEqualTo(expected(filter, after, upTo));
    }
    for (int i = 0; i < 200; i++) {
      long after = (long) (random.nextDouble() * (created + 2));
      Long next = model.higherKey(after);
      assertThat(index.next(after)).isEqualTo(next == null ? null : session(next));
    }
    for (String tag : TAGS) {
      assertThat(index.count(tag)).isEqualTo(expected(TagFilter.parse(tag), 0, created).size());
    }
    assertThat(index.count()).isEqualTo(model.size());
    new ArrayList<>(model.keySet()).forEach(this::remove);
    assertThat(index).extracting("byTag").hasToString("{}");
    assertThat(index).extracting("byNumber.count").isEqualTo(0);
  }

  /** Some tags on nearly all, some on few. */
  private static List<String> tags(Random random) {
    List<String> tags = new ArrayList<>();
    for (int i = 0; i < TAGS.size(); i++) {
      if (random.nextInt(1 + i * i) == 0) {
        tags.add(TAGS.get(i));
      }
    }
    return tags;
  }

  private static TagFilter filter(Random random) {
    List<String> terms = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      terms.add((random.nextInt(3) == 0 ? "!" : "") + TAGS.get(random.nextInt(TAGS.size())));
    }
    if (random.nextInt(20) == 0) {
      terms.add("unknown");
    }
    return TagFilter.parse(String.join(",", terms));
  }

  @Test
  void aLongSearchLetsChangesIn() {
    // Two tags that take turns: neither is rare, and they never meet.
    for (long i = 0; i < 20_000; i++) {
      put(1 + i * 64, List.of(i % 2 == 0 ? "even" : "odd"));
      put(2 + i * 64, List.of("even"));
    }
    TagFilter both = TagFilter.parse("even,odd");
    long to = index.find(ParsedFilter.of(both), 0, Long.MAX_VALUE, 10, new ArrayList<>());
    assertThat(to).isLessThan(20_000 * 64);
    assertThat(found(both, 0, Long.MAX_VALUE, 10)).isEmpty();
    // No session is lost where it stops.
    for (long i = 0; i < 20_000; i++) {
      put(i * 64 + 64, List.of("even", "odd"));
    }
    assertThat(found(both, 0, Long.MAX_VALUE, 100_000)).hasSize(20_000);
  }

  @Test
  void aSearchWithManyTermsLetsChangesInAsOften() {
    List<String> many = IntStream.range(0, 255).mapToObj(i -> Integer.toString(i, 36)).toList();
    put(1, many);
    for (long i = 1; i < 1_000; i++) {
      put(i * 64, List.of("0"));
    }
    TagFilter none = TagFilter.parse("!" + String.join(",!", many));
    assertThat(index.find(ParsedFilter.of(none), 0, Long.MAX_VALUE, 10, new ArrayList<>()))
        .isLessThan(20 * 64);
    assertThat(found(none, 0, Long.MAX_VALUE, 10)).isEmpty();
  }

  @Test
  void theRarestTagSaysHowLongTheSearchIs() {
    List<String> frequent = TAGS.subList(0, 8);
    for (int i = 0; i < 40_000; i++) {
      put(1 + i * 64L, List.of(frequent.get(i % 8)));
    }
    // Sets have no order, so that one rare tag could be asked first by chance.
    for (String rare : List.of("r1", "r2", "r3", "r4", "r5")) {
      put(1 + model.lastKey(), List.of(rare));
      TagFilter filter = TagFilter.parse(String.join(",", frequent) + "," + rare);
      assertThat(index.find(ParsedFilter.of(filter), 0, Long.MAX_VALUE, 10, new ArrayList<>()))
          .as("at once")
          .isEqualTo(Long.MAX_VALUE);
    }
  }

  /** Tags whose last one cannot be read, once. */
  private static List<String> brokenOnce(String... tags) {
    return new AbstractList<>() {
      private boolean broken = true;

      @Override
      public String get(int at) {
        if (broken && at == tags.length - 1) {
          broken = false;
          throw new LinkageError("on purpose");
        }
        return tags[at];
      }

      @Override
      public int size() {
        return tags.length;
      }
    };
  }

  @Test
  @DisplayName("An addition that fails halfway leaves nothing in the index.")
  void failedAddition() {
    put(1, List.of("a"));
    assertThatThrownBy(() -> index.add(session(2), brokenOnce("a", "b", "c")))
        .isInstanceOf(LinkageError.class);
    assertThat(index.count()).isEqualTo(1);
    assertThat(index.count("a")).isEqualTo(1);
    assertThat(index).extracting("byTag", MAP).containsOnlyKeys("a");
    assertThat(index.get(2)).isNull();
    put(2, List.of("a", "b", "c"));
    assertThat(found(TagFilter.parse("a"), 0, 9, 9)).containsExactly(1L, 2L);
  }

  @Test
  @DisplayName("A change of tags that fails halfway leaves the tags as they were.")
  void failedRetag() {
    List<String> before = List.of("a");
    put(1, before);
    assertThatThrownBy(() -> index.retag(session(1), before, brokenOnce("b", "a", "c")))
        .isInstanceOf(LinkageError.class);
    assertThat(index).extracting("byTag", MAP).containsOnlyKeys("a");
    assertThat(found(TagFilter.parse("a"), 0, 9, 9)).containsExactly(1L);
  }
}
