package io.peerbroker.benchmarks;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.SessionSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The sessions that all benchmarks list: 1 to 5 tags of 2,000 each, chosen after Zipf's law (the
 * tag of rank r comes 1/r times as often as the first), some 40 bytes of metadata, 64 sessions to a
 * channel. The session with a number is the same in every run.
 */
final class Population {

  static final int TAGS = 2_000;
  static final int MOST_TAGS = 5;
  static final int SESSIONS_PER_CHANNEL = 64;

  private static final long SEED = 4;

  /** How often a tag of a rank or of one before it is chosen. */
  private static final double[] CUMULATIVE = zipf();

  private Population() {}

  private static double[] zipf() {
    double[] cumulative = new double[TAGS];
    double sum = 0;
    for (int rank = 0; rank < TAGS; rank++) {
      sum += 1.0 / (rank + 1);
      cumulative[rank] = sum;
    }
    for (int rank = 0; rank < TAGS; rank++) {
      cumulative[rank] /= sum;
    }
    return cumulative;
  }

  /**
   * A tag by its rank, 0 being the most frequent. A new string each time, as from a request; in the
   * order of the alphabet the ranks are scattered.
   */
  static String tag(int rank) {
    return "tag" + (10_000 + (rank * 1_223 + 77) % TAGS);
  }

  /** A rank, chosen after Zipf's law. */
  static int rank(SplittableRandom random) {
    int found = Arrays.binarySearch(CUMULATIVE, random.nextDouble());
    return Math.min(found < 0 ? -found - 1 : found + 1, TAGS - 1);
  }

  /** The ranks of the tags of a session. */
  static List<Integer> ranks(int number) {
    var random = new SplittableRandom(SEED + ((long) number << 32));
    int count = 1 + random.nextInt(MOST_TAGS);
    List<Integer> ranks = new ArrayList<>(count);
    while (ranks.size() < count) {
      int rank = rank(random);
      if (!ranks.contains(rank)) {
        ranks.add(rank);
      }
    }
    return ranks;
  }

  /** The tags of a session. */
  static List<String> tags(int number) {
    return ranks(number).stream().map(Population::tag).toList();
  }

  /** Returns the metadata of a session: new bytes each time, as from a request. */
  static Json metadata(int number) {
    return Json.parse("{\"name\":\"Player %07d\",\"rating\":1500}".formatted(number));
  }

  static SessionSpec spec(int number) {
    return new SessionSpec(tags(number), true, metadata(number));
  }

  /** Returns the sessions of a population, by their number. */
  @FunctionalInterface
  interface Source {
    SessionSpec spec(int number);
  }

  /** Lists the sessions from a number up to another one. */
  static List<Channel> list(Broker broker, int from, int to, Source source) {
    List<Channel> channels = new ArrayList<>();
    for (int number = from; number < to; number++) {
      if ((number - from) % SESSIONS_PER_CHANNEL == 0) {
        channels.add(openChannel(broker));
      }
      channels.get(channels.size() - 1).openSession(source.spec(number));
    }
    return channels;
  }

  /** A channel of a client that is never sent anything; it needs no thread. */
  static Channel openChannel(Broker broker) {
    return broker.openChannel((channel, message) -> {}, Runnable::run);
  }

  /** A broker whose bounds are never reached. */
  static Broker broker() {
    Limits.Rate anyRate = new Limits.Rate(0, 0);
    return Broker.builder()
        .maxChannels(1_000_000)
        .listPause(java.time.Duration.ZERO)
        .maxWatches(1_000_000)
        .maxSessionsPerChannel(10_000)
        .maxTotalSessionBytes(Long.MAX_VALUE)
        .maxQueuedEvents(1_000_000)
        .maxQueuedBytes(1 << 30)
        .sessionRate(anyRate)
        .messageRate(anyRate)
        .build();
  }
}
