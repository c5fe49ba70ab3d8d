package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class DirectUseTest {

  @Test
  void run_answersItsQuestion() throws Exception {
    var out = new ByteArrayOutputStream();
    assertThat(DirectUse.run(new PrintStream(out, true, UTF_8))).isTrue();
    assertThat(out.toString(UTF_8).lines())
        .containsExactlyInAnyOrder(
            "Carol sees {\"name\":\"Bob\"} tagged [chess, beginner]",
            "Bob hears {\"question\":\"Your move?\"}",
            "Ada hears {\"answer\":\"Knight to f3.\"}",
            "Carol sees one leave");
  }
}
