package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the documents tell a reader to type names what is there. */
final class CommandsTest {

  private static final Pattern MAVEN = Pattern.compile("`(mvn [^`|]+)");
  private static final Pattern MODULES = Pattern.compile("-pl ([a-z][\\w./,-]*)");
  private static final Pattern BENCHMARKS =
      Pattern.compile("java -Xmx\\dg -jar (\\S+)/target/(\\S+)((?: \\w+(?:=\\S*)?)+)");

  static Stream<String> pages() {
    return DocBlock.pages().stream();
  }

  @ParameterizedTest
  @MethodSource("pages")
  @DisplayName("Every Maven command in a sentence names goals, modules and tests that there are.")
  void maven(String page) {
    MAVEN
        .matcher(ProjectFiles.read(DocBlock.root().resolve(page)))
        .results()
        .map(command -> command.group(1).replace('\n', ' ').strip())
        .forEach(Commands::assertMavenTakes);
  }

  @Test
  @DisplayName("Each module that a command selects is there: in documents, in Javadoc and in CI.")
  void modules() {
    List<Path> files = new ArrayList<>(ProjectFiles.java(""));
    files.add(DocBlock.root().resolve(".ci/run"));
    DocBlock.pages().forEach(page -> files.add(DocBlock.root().resolve(page)));
    for (Path file : files) {
      MODULES
          .matcher(ProjectFiles.read(file))
          .results()
          .flatMap(modules -> Stream.of(modules.group(1).split(",", -1)))
          .forEach(
              module ->
                  assertThat(DocBlock.root().resolve(module).resolve("pom.xml"))
                      .as("-pl %s, in %s", module, file)
                      .exists());
    }
  }

  static Stream<DocBlock> benchmarks() {
    return Stream.of(
        DocBlock.of("docs/performance.md", "all"),
        DocBlock.of("docs/performance.md", "the worst"),
        DocBlock.of("docs/performance.md", "the relay"),
        DocBlock.of("docs/performance.md", "message"));
  }

  @ParameterizedTest
  @MethodSource
  @DisplayName("The benchmarks are built where they are run, and there are those that are named.")
  void benchmarks(DocBlock block) {
    String source = benchmarksSource("Benchmarks.java");
    List<String> commands = block.text().lines().toList();
    commands.stream()
        .filter(command -> command.startsWith("mvn"))
        .forEach(Commands::assertMavenTakes);
    Matcher run = BENCHMARKS.matcher(commands.get(commands.size() - 1));
    assertThat(run.matches()).as("%s", block).isTrue();
    Path pom = DocBlock.root().resolve(run.group(1)).resolve("pom.xml");
    assertThat(ProjectFiles.read(pom)).contains("/" + run.group(2) + "</outputFile>");
    for (String word : run.group(3).strip().split(" ", -1)) {
      int value = word.indexOf('=');
      if (value < 0) {
        assertThat(source).as("%s", block).contains("ALL.put(\"" + word + "\"");
      } else {
        assertThat(benchmarksSource("RelayOptions.java"))
            .as("%s", block)
            .contains("<li>{@code " + word.substring(0, value) + "}");
      }
    }
  }

  private static String benchmarksSource(String file) {
    return ProjectFiles.java("testing/benchmarks").stream()
        .filter(path -> path.endsWith(file))
        .map(ProjectFiles::read)
        .findFirst()
        .orElseThrow();
  }
}
