package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Tests and the rules of {@code docs/protocol.md} name each other, by the tags of the tests. */
final class RulesAreTestedTest {

  private static final Pattern RULE =
      Pattern.compile("(?m)^- \\*\\*([A-Z][0-9]+)\\*\\* \\[(?:seed|ours)] ");
  private static final Pattern TAG = Pattern.compile("@Tag\\(\\s*\"([^\"]*)\"\\s*\\)");

  /** A number where none should be: at the start of a test's display name or of its own. */
  private static final Pattern ELSEWHERE =
      Pattern.compile("@DisplayName\\(\\s*\"[A-Z][0-9]+\\b[^\"]*|\\bvoid [a-z][0-9]+[A-Z]\\w*");

  /** Tests of a server, which speak to it as its clients do. */
  private static final List<String> OVER_THE_WIRE =
      List.of("broker-tck/src/main/java", "broker-servlet/src/test/java");

  private final List<String> rules =
      found(RULE, ProjectFiles.read(DocBlock.root().resolve("docs/protocol.md"))).toList();

  @Test
  @DisplayName("Each rule has a test over the wire.")
  void eachRuleHasATest() {
    assertThat(rules).hasSizeGreaterThan(100).doesNotHaveDuplicates();
    List<String> untested = new ArrayList<>(rules);
    untested.removeAll(
        OVER_THE_WIRE.stream().flatMap(folder -> found(TAG, ProjectFiles.java(folder))).toList());
    assertThat(untested).as("rules that no test of a server has as its tag").isEmpty();
  }

  @Test
  @DisplayName("Each tag of a test is a rule.")
  void eachTagIsARule() {
    TreeSet<String> unknown = new TreeSet<>(found(TAG, ProjectFiles.java("")).toList());
    rules.forEach(unknown::remove);
    assertThat(unknown).as("tags that are no rules").isEmpty();
  }

  @Test
  @DisplayName("The number of a rule stands in the tag only.")
  void onlyTagsNameRules() {
    assertThat(ProjectFiles.java(""))
        .allSatisfy(
            file ->
                assertThat(found(ELSEWHERE, ProjectFiles.read(file)))
                    .as("%s says by its name which rule it tests; a @Tag says so", file)
                    .isEmpty());
  }

  private static Stream<String> found(Pattern pattern, List<Path> files) {
    return files.stream().flatMap(file -> found(pattern, ProjectFiles.read(file)));
  }

  private static Stream<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map((MatchResult found) -> found.group(found.groupCount()));
  }
}
