package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The public values that later versions extend without breaking their users. */
final class GrowingValuesTest {

  private static final Duration SECOND = Duration.ofSeconds(1);

  /** The members of a values object, each with a value of its own. */
  private static List<Field> fill(Object values) throws IllegalAccessException {
    List<Field> fields =
        Arrays.stream(values.getClass().getDeclaredFields())
            .filter(field -> !field.isSynthetic())
            .toList();
    int next = 1_000;
    for (Field field : fields) {
      field.setAccessible(true);
      field.set(values, valueOf(field.getType(), next++));
    }
    return fields;
  }

  private static Object valueOf(Class<?> type, int number) {
    if (type == int.class) {
      return number;
    } else if (type == long.class) {
      return (long) number;
    } else if (type == Duration.class) {
      return Duration.ofSeconds(number);
    } else if (type == Limits.Rate.class) {
      return new Limits.Rate(number, number);
    }
    assertThat(type).isEqualTo(Map.class);
    return Map.of(CloseReason.CLOSED, (long) number);
  }

  @Test
  @DisplayName("Every limit has an accessor and is part of equals and toString.")
  void limits() throws Exception {
    Limits.Values values = new Limits.Values();
    List<Field> fields = fill(values);
    Limits limits = new Limits(values);
    assertThat(limits).isEqualTo(new Limits(values)).hasSameHashCodeAs(new Limits(values));
    assertThat(limits).isNotEqualTo("Limits");
    for (Field field : fields) {
      Object value = field.get(values);
      assertThat(Limits.class.getMethod(field.getName()).invoke(limits)).isEqualTo(value);
      assertThat(limits.toString()).contains(field.getName() + "=" + value);
      field.set(values, valueOf(field.getType(), 1));
      assertThat(new Limits(values)).as(field.getName()).isNotEqualTo(limits);
      field.set(values, value);
    }
    assertThat(fields).hasSize(22);
  }

  @Test
  @DisplayName("Every figure has an accessor and is part of equals and toString.")
  void stats() throws Exception {
    BrokerStats.Values values = new BrokerStats.Values();
    List<Field> fields = fill(values);
    BrokerStats stats = new BrokerStats(values);
    assertThat(stats).isEqualTo(new BrokerStats(values)).hasSameHashCodeAs(new BrokerStats(values));
    assertThat(stats).isNotEqualTo("BrokerStats");
    for (Field field : fields) {
      Object value = field.get(values);
      assertThat(BrokerStats.class.getMethod(field.getName()).invoke(stats)).isEqualTo(value);
      assertThat(stats.toString()).contains(field.getName() + "=" + value);
      field.set(values, valueOf(field.getType(), 1));
      assertThat(new BrokerStats(values)).as(field.getName()).isNotEqualTo(stats);
      field.set(values, value);
    }
    assertThat(fields).hasSize(23);
  }

  @Test
  @DisplayName("A broker's limits stay the same when its builder is changed afterwards.")
  void limitsOfABuilder() {
    BrokerBuilder builder = Broker.builder().maxChannels(3);
    try (Broker first = builder.build();
        Broker second = builder.maxChannels(4).build()) {
      assertThat(first.limits().maxChannels()).isEqualTo(3);
      assertThat(second.limits().maxChannels()).isEqualTo(4);
    }
  }

  @Test
  @DisplayName("Lease bounds that are refused leave the previous ones in place.")
  void leaseBoundsRefused() {
    BrokerBuilder builder = Broker.builder();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.leaseBounds(SECOND.multipliedBy(2), SECOND))
        .withMessageContaining("shortest lease");
    try (Broker broker = builder.build()) {
      assertThat(broker.limits().minLease()).isEqualTo(Duration.ofSeconds(15));
      assertThat(broker.limits().maxLease()).isEqualTo(Duration.ofMinutes(5));
    }
  }

  @Test
  @DisplayName("A snapshot's maps have every key, in the order of the enum, and cannot be changed.")
  void maps() {
    try (Broker broker = Broker.create()) {
      Map<CloseReason, Long> closed = broker.stats().channelsClosed();
      assertThat(closed.keySet()).containsExactly(CloseReason.values());
      assertThat(closed).isUnmodifiable();
      assertThat(broker.stats().callsRefused().keySet()).containsExactly(Refusal.Code.values());
    }
  }

  @Test
  @DisplayName("Options are equal when all their values are.")
  void options() {
    ChannelOptions none = ChannelOptions.none();
    assertThat(none.withResume(SECOND).withResume(Duration.ZERO))
        .isEqualTo(none)
        .hasSameHashCodeAs(none);
    assertThat(
            List.of(
                none, none.withResume(SECOND), none.withLease(SECOND), none.after("event"), "none"))
        .doesNotHaveDuplicates();
    assertThat(none.withLease(SECOND).after("event").lastEventId()).isEqualTo("event");
    assertThat(none.withLease(SECOND).after("event").withResume(SECOND).lease()).isEqualTo(SECOND);
  }
}
