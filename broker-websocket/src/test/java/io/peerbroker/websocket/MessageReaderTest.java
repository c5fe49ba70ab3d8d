package io.peerbroker.websocket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Timer;
import io.peerbroker.servlet.HttpSettings;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class MessageReaderTest {

  private static final HttpSettings SETTINGS = HttpSettings.defaults().withMaxBodyBytes(10);
  private static final long WITHIN = SETTINGS.bodyTimeout().toNanos();

  /** Not zero, which a field has before it is written. */
  private long now = 10 * WITHIN;

  private int refused;

  /** What another thread does while the time is asked for. */
  private Runnable meanwhile = () -> {};

  private MessageReader reader() {
    Timer timer =
        new Timer() {
          @Override
          public long nanoTime() {
            Runnable other = meanwhile;
            meanwhile = () -> {};
            other.run();
            return now;
          }

          @Override
          public Scheduled schedule(Duration delay, Runnable task) {
            throw new AssertionError("Nothing is scheduled");
          }
        };
    return new MessageReader(SETTINGS, timer, () -> refused++);
  }

  private static @Nullable String text(byte @Nullable [] message) {
    return message == null ? null : new String(message, UTF_8);
  }

  @Test
  void putsPartsTogether() {
    MessageReader reader = reader();
    assertThat(text(reader.read("whole", true))).isEqualTo("whole");
    assertThat(reader.read("12345", false)).isNull();
    assertThat(reader.read("", false)).isNull();
    assertThat(text(reader.read("67890", true))).isEqualTo("1234567890");
    assertThat(text(reader.read("", true))).isEmpty();
    assertThat(refused).isZero();
  }

  @Test
  void boundsBytes() {
    // As many bytes in fewer characters.
    for (String text : List.of("12345678901", "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9")) {
      assertThat(reader().read(text, true)).isNull();
      MessageReader reader = reader();
      assertThat(reader.read(text.substring(0, 5), false)).isNull();
      assertThat(reader.read(text.substring(5), true)).isNull();
    }
    assertThat(refused).isEqualTo(4);
    MessageReader endless = reader();
    assertThat(endless.read("1234567890", false)).isNull();
    assertThat(refused).isEqualTo(4);
    assertThat(endless.read("1", false)).isNull();
    assertThat(refused).isEqualTo(5);
  }

  @Test
  void boundsTime() {
    MessageReader reader = reader();
    now += WITHIN;
    assertThat(reader.isOverdue()).isFalse();
    assertThat(reader.read("1", false)).isNull();
    now += WITHIN - 1;
    assertThat(reader.read("2", false)).isNull();
    assertThat(reader.isOverdue()).isFalse();
    now++;
    assertThat(reader.isOverdue()).isTrue();
    assertThat(text(reader.read("3", true))).isEqualTo("123");
    assertThat(reader.isOverdue()).isFalse();
  }

  @Test
  @DisplayName("A message that has just begun is not overdue, also for a check at that moment.")
  void begins() {
    MessageReader reader = reader();
    boolean[] overdue = {true};
    meanwhile = () -> overdue[0] = reader.isOverdue();
    assertThat(reader.read("1", false)).isNull();
    assertThat(overdue[0]).isFalse();
  }
}
