package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the runnable jar says about whose code is in it. */
final class LicencesIT {

  /** The text that each licence asks to go with what is under it. */
  private static final Map<String, String> TEXTS =
      Map.of(
          "(Apache-2.0)", "META-INF/LICENSE",
          "(EPL-2.0)", "META-INF/licenses/EPL-2.0.txt",
          "(MIT)", "META-INF/licenses/MIT-slf4j.txt");

  private static JarFile jar;

  @BeforeAll
  static void open() throws IOException {
    jar = new JarFile(System.getProperty("broker.server.jar"));
  }

  @AfterAll
  static void close() throws IOException {
    jar.close();
  }

  private static String text(String name) throws IOException {
    ZipEntry entry = jar.getEntry(name);
    assertThat(entry).as(name).isNotNull();
    try (InputStream in = jar.getInputStream(entry)) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  private static List<String> libraries() throws IOException {
    return text("META-INF/THIRD-PARTY.txt")
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("("))
        .toList();
  }

  @Test
  @DisplayName(
      "The runnable jar carries the broker's own licence and notice, and no other as its own.")
  void own() throws IOException {
    assertThat(text("META-INF/LICENSE")).isEqualTo(Files.readString(Path.of("../LICENSE")));
    assertThat(text("META-INF/NOTICE")).isEqualTo(Files.readString(Path.of("../NOTICE")));
    assertThat(jar.stream().map(ZipEntry::getName))
        .filteredOn(name -> name.matches("META-INF/(LICEN[SC]E|NOTICE).+"))
        .isEmpty();
  }

  @Test
  @DisplayName("Every library in the runnable jar is named with its licence.")
  void named() throws IOException {
    String all = String.join("\n", libraries());
    assertThat(all).contains("info.picocli:picocli:", "org.jspecify:jspecify:");
    List<JarEntry> poms =
        jar.stream()
            .filter(entry -> entry.getName().matches("META-INF/maven/.+/pom\\.properties"))
            .filter(entry -> !entry.getName().startsWith("META-INF/maven/io.peerbroker/"))
            // Nimbus has it under its own name, and this pom with it, which says Apache-2.0.
            .filter(entry -> !entry.getName().contains("/com.github.stephenc.jcip/"))
            .toList();
    assertThat(poms).hasSizeGreaterThan(8);
    for (ZipEntry pom : poms) {
      Properties library = new Properties();
      try (InputStream in = jar.getInputStream(pom)) {
        library.load(in);
      }
      assertThat(all)
          .contains(
              "(%s:%s:%s "
                  .formatted(
                      library.getProperty("groupId"),
                      library.getProperty("artifactId"),
                      library.getProperty("version")));
    }
    assertThat(all).doesNotContain("io.peerbroker");
  }

  @Test
  @DisplayName("The jar has the text of one licence of each library.")
  void texts() throws IOException {
    for (String library : libraries()) {
      assertThat(TEXTS.keySet()).as(library).anyMatch(library::contains);
    }
    assertThat(text("META-INF/LICENSE")).contains("Apache License", "Version 2.0");
    assertThat(text("META-INF/licenses/EPL-2.0.txt")).contains("Eclipse Public License - v 2.0");
    assertThat(text("META-INF/licenses/MIT-slf4j.txt"))
        .contains("QOS.ch", "Permission is hereby granted");
    assertThat(text("META-INF/licenses/NOTICE-jetty.txt")).contains("Notices for Eclipse Jetty");
  }
}
