package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
  void everyRuleIsTestedAndEveryTestedRuleIsThere() throws IOException {
    Path project = ProjectFiles.root();
    List<String> rules =
        found(RULE, Files.readString(project.resolve("docs/protocol.md"))).toList();
    Set<String> named = new TreeSet<>();
    for (String folder : WITH_TESTS) {
      try (Stream<Path> files = Files.walk(project.resolve(folder))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .flatMap(file -> found(TEST, ProjectFiles.read(file)))
            .flatMap(names -> Stream.of(names.split(" ")))
            .forEach(named::add);
      }
    }
    assertThat(rules).hasSizeGreaterThan(100).doesNotHaveDuplicates();
    assertThat(named).containsExactlyInAnyOrderElementsOf(rules);
  }

  private static Stream<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map((MatchResult found) -> found.group(1));
  }
}
