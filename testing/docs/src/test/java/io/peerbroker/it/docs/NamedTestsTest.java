package io.peerbroker.it.docs;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each test that a document names is there. */
final class NamedTestsTest {

  private static final Pattern NAMED =
      Pattern.compile("`([A-Z]\\w*(?:Test|IT|Rules))(?:\\.(\\w+))?`");

  private static final Pattern CODE = Pattern.compile("`(\\w+)`");

  static Stream<String> pages() {
    return DocBlock.pages().stream();
  }

  @ParameterizedTest
  @MethodSource("pages")
  @DisplayName("Each test that a document names is there.")
  void areThere(String page) {
    Map<String, List<String>> tests = ProjectFiles.tests();
    assertThat(tests).hasSizeGreaterThan(50);
    List<String> missing =
        NAMED
            .matcher(ProjectFiles.read(DocBlock.root().resolve(page)))
            .results()
            .filter(named -> !isThere(tests, named.group(1), named.group(2)))
            .map(MatchResult::group)
            .toList();
    assertThat(missing).as("named in %s and not there", page).isEmpty();
  }

  @Test
  @DisplayName("Each class in the table of classes and their tests is there.")
  void tableNamesClasses() {
    Set<String> classes =
        ProjectFiles.java("").stream()
            .map(file -> file.getFileName().toString().replace(".java", ""))
            .collect(toSet());
    String text = ProjectFiles.read(DocBlock.root().resolve("CONTRIBUTING.md"));
    String table = text.substring(text.indexOf("| class | tests |"), text.indexOf("## Words"));
    List<String> named = CODE.matcher(table).results().map(found -> found.group(1)).toList();
    assertThat(named).hasSizeGreaterThan(30);
    assertThat(classes).containsAll(named);
  }

  private static boolean isThere(Map<String, List<String>> tests, String type, String method) {
    List<String> sources = tests.getOrDefault(type, List.of());
    Pattern declared = Pattern.compile("\\bvoid " + method + "\\(");
    return method == null
        ? !sources.isEmpty()
        : sources.stream().anyMatch(source -> declared.matcher(source).find());
  }
}
