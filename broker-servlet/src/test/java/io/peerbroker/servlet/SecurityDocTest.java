package io.peerbroker.servlet;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each test that {@code SECURITY.md} names is there. */
final class SecurityDocTest {

  private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:Test|Rules))(?:\\.(\\w+))?`");

  @Test
  void everyTestThatIsNamedIsThere() throws IOException {
    Path project = ProjectFiles.root();
    Map<String, String> tests = tests(project);
    List<String> missing =
        NAMED
            .matcher(Files.readString(project.resolve("SECURITY.md")))
            .results()
            .filter(named -> !isThere(tests.get(named.group(1)), named.group(2)))
            .map(named -> named.group())
            .toList();
    assertThat(missing).isEmpty();
  }

  private static boolean isThere(String source, String method) {
    return source != null
        && (method == null || Pattern.compile("\\bvoid " + method + "\\(").matcher(source).find());
  }

  /** The sources of all tests, by the names of their classes; of two with one name, both. */
  private static Map<String, String> tests(Path project) throws IOException {
    try (Stream<Path> files = Files.walk(project)) {
      Map<String, String> tests =
          files
              .filter(file -> file.toString().matches(".*/src/.*(Test|Rules)\\.java"))
              .collect(
                  toMap(
                      file -> file.getFileName().toString().replace(".java", ""),
                      ProjectFiles::read,
                      String::concat));
      assertThat(tests).hasSizeGreaterThan(50);
      return tests;
    }
  }
}
