package io.peerbroker.peerjs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Limits;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.test.FakeTimer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class FrameReaderTest {

  private static final HttpSettings HTTP = HttpSettings.defaults().withMaxBodyBytes(10);

  private final FakeTimer timer = new FakeTimer();
  private final List<Integer> closed = new ArrayList<>();

  private FrameReader reader(Limits.Rate messageRate) {
    try (Broker broker = Broker.builder().timer(timer).messageRate(messageRate).build()) {
      return new FrameReader(
          PeerJsSettings.defaults().withHttp(HTTP),
          broker.limits(),
          timer,
          (code, phrase) -> closed.add(code.getCode()));
    }
  }

  private static @Nullable String text(byte @Nullable [] frame) {
    return frame == null ? null : new String(frame, UTF_8);
  }

  @Test
  void putsPartsTogether() {
    FrameReader reader = reader(Limits.Rate.UNLIMITED);
    assertThat(text(reader.read("whole", true))).isEqualTo("whole");
    assertThat(reader.read("12345", false)).isNull();
    assertThat(reader.read("", false)).isNull();
    assertThat(text(reader.read("67890", true))).isEqualTo("1234567890");
    assertThat(text(reader.read("", true))).isEmpty();
    assertThat(closed).isEmpty();
  }

  @Test
  void boundsBytes() {
    // As many bytes in fewer characters.
    for (String text : List.of("12345678901", "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9")) {
      assertThat(reader(Limits.Rate.UNLIMITED).read(text, true)).isNull();
      FrameReader reader = reader(Limits.Rate.UNLIMITED);
      assertThat(reader.read(text.substring(0, 5), false)).isNull();
      assertThat(reader.read(text.substring(5), true)).isNull();
    }
    assertThat(closed).containsExactly(1009, 1009, 1009, 1009);
    FrameReader endless = reader(Limits.Rate.UNLIMITED);
    assertThat(endless.read("1234567890", false)).isNull();
    assertThat(closed).hasSize(4);
    assertThat(endless.read("1", false)).isNull();
    assertThat(closed).hasSize(5);
  }

  @Test
  void boundsTime() {
    FrameReader reader = reader(Limits.Rate.UNLIMITED);
    timer.advance(HTTP.bodyTimeout());
    assertThat(reader.isOverdue()).isFalse();
    assertThat(reader.read("1", false)).isNull();
    timer.advance(HTTP.bodyTimeout().minusNanos(1));
    assertThat(reader.read("2", false)).isNull();
    assertThat(reader.isOverdue()).isFalse();
    timer.advance(Duration.ofNanos(1));
    assertThat(reader.isOverdue()).isTrue();
    assertThat(text(reader.read("3", true))).isEqualTo("123");
    assertThat(reader.isOverdue()).isFalse();
  }

  @Test
  void boundsNumber() {
    FrameReader reader = reader(new Limits.Rate(1, 2));
    for (int second = 0; second < 3; second++) {
      for (int i = 0; i < 2 * FrameReader.PARTS_TO_A_MESSAGE; i++) {
        assertThat(reader.read("", true)).isNotNull();
      }
      assertThat(closed).isEmpty();
      timer.advance(Duration.ofSeconds(1));
    }
    for (int i = 0; i <= 2 * FrameReader.PARTS_TO_A_MESSAGE; i++) {
      var unused = reader.read("", true);
    }
    assertThat(closed).containsExactly(1008);
  }
}
