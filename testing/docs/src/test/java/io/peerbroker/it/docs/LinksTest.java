package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each link of a document into the project has a target. */
final class LinksTest {

  private static final Pattern LINK =
      Pattern.compile("\\]\\(([^)\\s]+)\\)|(?m)^\\[[^]]+\\]: (\\S+)$|(?:src|href)=\"([^\"]+)\"");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");
  private static final Pattern ANCHOR = Pattern.compile("<a (?:id|name)=\"([^\"]+)\"");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^ *```.*?^ *```$");

  static Stream<String> pages() {
    return DocBlock.pages().stream();
  }

  @ParameterizedTest
  @MethodSource("pages")
  @DisplayName("Each link to a file of the project, and to a heading in it, leads there.")
  void leadThere(String page) {
    Path from = DocBlock.root().resolve(page);
    List<String> links =
        LINK.matcher(text(from))
            .results()
            .flatMap(link -> Stream.of(link.group(1), link.group(2), link.group(3)))
            .filter(link -> link != null && !link.matches("[a-z]+:.*"))
            .toList();
    for (String link : links) {
      List<String> parts = List.of(link.split("#", 2));
      Path to = parts.get(0).isEmpty() ? from : from.resolveSibling(parts.get(0));
      assertThat(to).as("%s links to %s", page, link).exists();
      if (parts.size() == 2) {
        assertThat(anchors(to)).as("%s links to %s", page, link).contains(parts.get(1));
      }
    }
  }

  /** Returns a document without its blocks. */
  private static String text(Path page) {
    return BLOCK.matcher(ProjectFiles.read(page)).replaceAll("");
  }

  /** Returns the names that GitHub gives to the headings of a document, and its own. */
  private static List<String> anchors(Path page) {
    assertThat(Files.isRegularFile(page)).as("%s is a document", page).isTrue();
    String text = text(page);
    List<String> anchors = new ArrayList<>();
    ANCHOR.matcher(text).results().forEach(anchor -> anchors.add(anchor.group(1)));
    HEADING
        .matcher(text)
        .results()
        .map(heading -> heading.group(1).strip().toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\w\\- ]", "").replace(' ', '-'))
        .forEach(anchors::add);
    return anchors;
  }
}
