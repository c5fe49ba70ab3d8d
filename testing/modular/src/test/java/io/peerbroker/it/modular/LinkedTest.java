package io.peerbroker.it.modular;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.Gson;
import io.peerbroker.core.Broker;
import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The application in a run-time image of its own. This module's build shows that it compiles. */
final class LinkedTest {

  private static Path image;

  @BeforeAll
  static void link(@TempDir Path folder) throws Exception {
    image = folder.resolve("image");
    // Neither JSpecify nor Error Prone is here: nothing needs annotations to run.
    List<Path> modules = new ArrayList<>();
    for (Class<?> type : List.of(Main.class, Broker.class, Gson.class)) {
      modules.add(Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()));
    }
    var said = new StringWriter();
    var out = new PrintWriter(said);
    int status =
        ToolProvider.findFirst("jlink")
            .orElseThrow()
            .run(
                out,
                out,
                "--module-path",
                modules.stream()
                    .map(Path::toString)
                    .collect(Collectors.joining(File.pathSeparator)),
                "--add-modules",
                "io.peerbroker.it.modular",
                "--output",
                image.toString());
    assertThat(status).as(said.toString()).isZero();
  }

  /** Returns the output of the image's own {@code java}, after it has ended well. */
  private static List<String> java(String... arguments) throws Exception {
    List<String> command =
        Stream.concat(Stream.of(image.resolve("bin/java").toString()), Stream.of(arguments))
            .toList();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said.lines().toList();
  }

  @Test
  @DisplayName("A linked application opens a broker and sends its records.")
  void runs() throws Exception {
    assertThat(java("-m", "io.peerbroker.it.modular/io.peerbroker.it.modular.Main"))
        .containsExactlyInAnyOrder("ada: Sent[]", "bob: Move[from=e2, to=e4]");
  }

  @Test
  @DisplayName("The image holds the broker and Gson, and none of their compile-time dependencies.")
  void small() throws Exception {
    assertThat(java("--list-modules"))
        .extracting(line -> line.replaceFirst("@.*", ""))
        .filteredOn(name -> !name.startsWith("java.") && !name.startsWith("jdk."))
        .containsExactlyInAnyOrder(
            "com.google.gson", "io.peerbroker.core", "io.peerbroker.it.modular");
  }
}
