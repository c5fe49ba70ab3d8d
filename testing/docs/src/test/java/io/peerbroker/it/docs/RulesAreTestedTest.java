package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Each rule of {@code docs/protocol.md} is named by a test, and each rule that a test names is
 * there.
 */
final class RulesAreTestedTest {

  private static final Pattern RULE =
      Pattern.compile("(?m)^- \\*\\*([A-Z][0-9]+)\\*\\* \\[(?:seed|ours)] ");
  private static final Pattern TEST =
      Pattern.compile("@Test\\s+@DisplayName\\(\\s*\"((?:[A-Z][0-9]+ )+)");
  private static final List<String> WITH_TESTS =
      List.of("broker-tck/src/main/java", "broker-servlet/src/test/java");

  @Test
  void everyRuleIsTestedAndEveryTestedRuleIsThere() {
    List<String> rules =
        found(RULE, ProjectFiles.read(DocBlock.root().resolve("docs/protocol.md"))).toList();
    Set<String> named = new TreeSet<>();
    WITH_TESTS.stream()
        .flatMap(folder -> ProjectFiles.java(folder).stream())
        .flatMap(file -> found(TEST, ProjectFiles.read(file)))
        .flatMap(names -> Stream.of(names.split(" ")))
        .forEach(named::add);
    assertThat(rules).hasSizeGreaterThan(100).doesNotHaveDuplicates();
    assertThat(named).containsExactlyInAnyOrderElementsOf(rules);
  }

  private static Stream<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map((MatchResult found) -> found.group(1));
  }
}
