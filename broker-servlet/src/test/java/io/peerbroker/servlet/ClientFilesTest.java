package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The client for browsers, as it is in the jar. */
final class ClientFilesTest {

  private static final Path CLIENT = Path.of("..", "client-js");

  @Test
  @DisplayName("Every module of the client is served, byte for byte, and nothing else.")
  void allOfTheClient() throws IOException {
    ClientFiles served = ClientFiles.of(HttpSettings.defaults());
    List<String> modules;
    try (Stream<Path> files = Files.list(CLIENT.resolve("client"))) {
      modules =
          Stream.concat(files, Stream.of(CLIENT.resolve("client.js")))
              .map(file -> "/" + CLIENT.relativize(file).toString().replace('\\', '/'))
              .filter(path -> path.endsWith(".js"))
              .toList();
    }
    assertThat(served.paths())
        .as(
            "what ClientFiles finds from its entries;"
                + " a file of client-js/client that nothing imports is one")
        .containsExactlyInAnyOrderElementsOf(modules);
    for (String path : modules) {
      assertThat(served.file(path).bytes())
          .as(path)
          .isEqualTo(Files.readAllBytes(CLIENT.resolve(path.substring(1))));
    }
  }

  @Test
  @DisplayName("Where it is switched off there are no files.")
  void switchedOff() {
    assertThat(ClientFiles.of(HttpSettings.defaults().withServeClient(false)).paths()).isEmpty();
  }
}
