package io.peerbroker.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Json;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class JsonWriterTest {

  private static final String WRITTEN = "id: \"é\\\"x\"\"plain\"[1, 2]\n\n";

  @Test
  void aTextThatIsCountedFirstIsTheSame() {
    AtomicInteger times = new AtomicInteger();
    byte[] bytes =
        JsonWriter.bytesOf(
            out -> {
              times.incrementAndGet();
              write(out);
              assertThat(out.length()).isEqualTo(WRITTEN.getBytes(UTF_8).length);
            });
    assertThat(new String(bytes, UTF_8)).isEqualTo(WRITTEN);
    assertThat(times).hasValue(2);
  }

  @Test
  void aTextThatGrowsIsTheSame() {
    JsonWriter out = new JsonWriter(1);
    write(out);
    assertThat(new String(out.toBytes(), UTF_8)).isEqualTo(WRITTEN);
  }

  private static void write(JsonWriter out) {
    out.ascii("id: ").string("é\"x").string("plain").json(Json.parse("[1,\n2]")).ascii("\n\n");
  }
}
