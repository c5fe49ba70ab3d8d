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
import org.junit.jupiter.api.Test;

final class FrameReaderTest {

  private static final HttpSettings HTTP = HttpSettings.defaults().withMaxBodyBytes(10);

  private final FakeTimer timer = new FakeTimer();
  private final List<Integer> closed = new ArrayList<>();

  private FrameReader reader(Limits.Rate messageRate) {
    try (Broker broker = Broker.builder().timer(timer).messageRate(messageRate).build()) {
      return new FrameReader(
          HTTP, broker.limits(), timer, (code, phrase) -> closed.add(code.getCode()));
    }
  }

  @Test
  void closesWithACodeForWhatIsTooLarge() {
    FrameReader reader = reader(Limits.Rate.UNLIMITED);
    assertThat(reader.read("12345", false)).isNull();
    assertThat(reader.read("67890", true)).asString(UTF_8).isEqualTo("1234567890");
    assertThat(closed).isEmpty();
    assertThat(reader.read("12345678901", true)).isNull();
    assertThat(closed).containsExactly(1009);
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
