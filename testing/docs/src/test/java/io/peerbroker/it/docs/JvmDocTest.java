package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The programs of docs/jvm.md, and of docs/turn.md, print what they say. */
final class JvmDocTest {

  private static void run(DocBlock block) throws Exception {
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.core.*",
            "java.security.Principal",
            "java.time.Duration",
            "java.util.Set",
            "java.util.concurrent.*")) {
      List<String> printed = program.printed();
      assertThat(printed).isNotEmpty();
      assertThat(program.run()).containsExactlyElementsOf(printed);
    }
  }

  @Test
  @DisplayName("Callers get ICE servers of their own.")
  void iceServers() throws Exception {
    run(DocBlock.of("docs/turn.md", "ice servers"));
  }

  @Test
  @DisplayName("A question is answered.")
  void ask() throws Exception {
    run(DocBlock.of("docs/jvm.md", "ask"));
  }

  @Test
  @DisplayName("A watch that comes back shows the list.")
  void keepWatching() throws Exception {
    run(DocBlock.of("docs/jvm.md", "keep watching"));
  }

  @Test
  @DisplayName("What a login has opened is found and closed.")
  void findAndRevoke() throws Exception {
    run(DocBlock.of("docs/jvm.md", "find and revoke"));
  }

  @Test
  @DisplayName("Tenants do not reach each other.")
  void tenants() throws Exception {
    run(DocBlock.of("docs/jvm.md", "tenants"));
  }

  @Test
  @DisplayName("Receivers are called on the application's threads.")
  void executor() throws Exception {
    run(DocBlock.of("docs/jvm.md", "executor"));
  }
}
