package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.Needed;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The recipes of docs/protocol.md. */
final class ProtocolDocTest {

  @TempDir private Path folder;

  @Test
  @DisplayName("The sender's queue keeps one request under way, and the order.")
  void queue() throws Exception {
    Needed.program("node", "nodejs");
    Path script = folder.resolve("queue.mjs");
    Files.writeString(
        script,
        """
        const target = 't', origin = 'o', key = 'k';
        const taken = [];
        let release;
        const first = new Promise((resolve) => { release = resolve; });
        async function post(path, body) {
          taken.push(body.messages);
          if (taken.length === 1) await first;
        }
        %s
        const offer = send('offer');
        send('candidate 1');
        send('candidate 2');
        console.log(JSON.stringify(taken));
        release();
        await offer;
        console.log(JSON.stringify(taken));
        """
            .formatted(DocBlock.of("docs/protocol.md", "the sender's queue").text()));
    assertThat(Shell.run(folder, List.of("node", script.toString())).lines())
        .containsExactly("[[\"offer\"]]", "[[\"offer\"],[\"candidate 1\",\"candidate 2\"]]");
  }
}
