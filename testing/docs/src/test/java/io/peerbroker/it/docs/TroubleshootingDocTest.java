package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.peerbroker.it.common.DocBlock;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The cures of docs/troubleshooting.md hold: each names its tests, and these are there. */
final class TroubleshootingDocTest {

  private static final Pattern TEST =
      Pattern.compile("`([A-Z]\\w+(?:Test|IT|Rules))(?:\\.(\\w+))?`");

  @Test
  @DisplayName("Every entry ends with its tests, which are there.")
  void everyCureIsTested() {
    String page = ProjectFiles.read(DocBlock.root().resolve("docs/troubleshooting.md"));
    Map<String, List<String>> sources = ProjectFiles.tests();
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
        assertThat(sources.get(tests.group(1)))
            .as("%s: %s", title, tests.group())
            .singleElement(STRING)
            .containsPattern(method == null ? "@Test" : "\\bvoid " + method + "\\(");
      }
    }
  }
}
