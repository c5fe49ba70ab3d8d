package io.peerbroker.it.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The jars that users get. */
final class PublishedJarsIT {

  /** Two of each module, and a third with its Javadoc where the profile {@code release} is on. */
  private static final int JARS = Boolean.getBoolean("peerbroker.release") ? 3 : 2;

  /** The modules whose jars are published: all except those that opt out. */
  private static List<String> published() throws IOException {
    Path root = DocBlock.root();
    List<String> modules =
        Pattern.compile("<module>([^<]+)</module>")
            .matcher(Files.readString(root.resolve("pom.xml")))
            .results()
            .map(module -> module.group(1))
            .filter(module -> !read(root.resolve(module)).contains("<unpublished>true<"))
            .toList();
    assertThat(modules)
        .contains(
            "broker-core",
            "broker-json",
            "broker-servlet",
            "broker-websocket",
            "broker-peerjs",
            "broker-test",
            "broker-tck");
    return modules;
  }

  private static String read(Path module) {
    try {
      return Files.readString(module.resolve("pom.xml"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @DisplayName("Each published jar, of sources and Javadoc as well, carries LICENSE and NOTICE.")
  void licences() throws IOException {
    for (String module : published()) {
      List<Path> jars;
      try (Stream<Path> files = Files.list(DocBlock.root().resolve(module).resolve("target"))) {
        jars =
            files
                .filter(file -> file.getFileName().toString().matches(module + "-\\d.*\\.jar"))
                .toList();
      }
      assertThat(jars).as("the jars of %s", module).hasSizeGreaterThanOrEqualTo(JARS);
      for (Path jar : jars) {
        for (String name : List.of("LICENSE", "NOTICE")) {
          assertThat(text(jar, "META-INF/" + name))
              .as("%s in %s", name, jar)
              .isEqualTo(Files.readString(DocBlock.root().resolve(name)));
        }
      }
    }
  }

  private static String text(Path file, String name) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      ZipEntry entry = jar.getEntry(name);
      assertThat(entry).as("%s in %s", name, file).isNotNull();
      try (InputStream in = jar.getInputStream(entry)) {
        return new String(in.readAllBytes(), UTF_8);
      }
    }
  }
}
