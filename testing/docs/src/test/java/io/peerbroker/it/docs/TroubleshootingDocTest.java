package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The cures of docs/troubleshooting.md hold: each names its tests, and these are there. */
final class TroubleshootingDocTest {

  private static final Pattern TEST =
      Pattern.compile("`([A-Z]\\w+(?:Test|IT|Rules))(?:\\.(\\w+))?`");

  @Test
  @DisplayName("Every entry ends with its tests, which are there.")
  void everyCureIsTested() throws IOException {
    String page = Files.readString(DocBlock.root().resolve("docs/troubleshooting.md"));
    List<String> entries = List.of(page.split("\n### ", -1));
    assertThat(entries).hasSizeGreaterThan(10);
    for (String entry : entries.subList(1, entries.size())) {
      String title = entry.lines().findFirst().orElseThrow();
      assertThat(entry).as(title).contains("\nTested: ");
      Matcher tests = TEST.matcher(entry.substring(entry.indexOf("\nTested: ")));
      assertThat(tests.results()).as(title).isNotEmpty();
      tests.reset();
      while (tests.find()) {
        String method = tests.group(2);
        assertThat(source(tests.group(1)))
            .as("%s: %s", title, tests.group())
            .containsPattern(method == null ? "@Test" : "\\bvoid " + method + "\\(");
      }
    }
  }

  private static String source(String type) throws IOException {
    try (Stream<Path> files = Files.walk(DocBlock.root())) {
      List<Path> sources =
          files
              .filter(file -> file.getFileName().toString().equals(type + ".java"))
              .filter(file -> file.toString().contains("/src/"))
              .toList();
      assertThat(sources).as("the source of %s", type).hasSize(1);
      return Files.readString(sources.get(0));
    }
  }
}
