package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Every fenced block of the documents is run by a test that names it. */
final class EveryBlockIsTestedTest {

  /** The languages of blocks. A new one needs tests that can run it. */
  private static final Set<String> LANGUAGES =
      Set.of(
          "java", "html", "js", "jsx", "ts", "xml", "sh", "text", "nginx", "haproxy", "apache",
          "vcl", "ini");

  private static final Pattern OF =
      Pattern.compile("DocBlock\\s*\\.of\\(\\s*\"([^\"]+)\",\\s*\"([^\"]+)\"\\)");

  /** As the tests in JavaScript find a block, by the constant PAGE of their file. */
  private static final Pattern JS_OF = Pattern.compile("docBlock\\(PAGE, '([^']+)'\\)");

  private static final Pattern JS_PAGE = Pattern.compile("const PAGE = '([^']+)';");

  /** Of these pages what is indented is bytes on the wire, and a picture. */
  private static final Set<String> INDENTED = Set.of("docs/protocol.md", "docs/concurrency.md");

  private static final Pattern FENCED = Pattern.compile("(?ms)^ *```.*?^ *```$");
  private static final Pattern INDENTED_BLOCK = Pattern.compile("\\n\\n {4,}(\\S.*)");

  private static String sources(String module) {
    return ProjectFiles.java(module).stream()
        .filter(file -> file.toString().replace('\\', '/').contains("/src/test/"))
        .map(ProjectFiles::read)
        .collect(Collectors.joining("\n"));
  }

  /** Returns the pages and names of the blocks that tests in Java and in JavaScript run. */
  private static Set<List<String>> tested() {
    Set<List<String>> tested = new HashSet<>();
    OF.matcher(sources("testing"))
        .results()
        .forEach(call -> tested.add(List.of(call.group(1), call.group(2))));
    for (Path file : ProjectFiles.endingIn("client-js/test/docs", Set.of("js"))) {
      String source = ProjectFiles.read(file);
      Matcher page = JS_PAGE.matcher(source);
      if (page.find()) {
        JS_OF
            .matcher(source)
            .results()
            .forEach(call -> tested.add(List.of(page.group(1), call.group(1))));
      }
    }
    return tested;
  }

  @Test
  @DisplayName("Every block is in a language that tests can run.")
  void languages() {
    for (DocBlock block : DocBlock.all()) {
      assertThat(LANGUAGES)
          .as("%s is in a language that no test runs", block)
          .contains(block.language());
    }
  }

  @Test
  @DisplayName("What a reader copies is fenced, not indented.")
  void indented() {
    for (String page : DocBlock.pages()) {
      if (!INDENTED.contains(page)) {
        String text = ProjectFiles.read(DocBlock.root().resolve(page));
        assertThat(INDENTED_BLOCK.matcher(FENCED.matcher(text).replaceAll("")).results())
            .as("%s has indented blocks", page)
            .map(MatchResult::group)
            .isEmpty();
      }
    }
  }

  @Test
  @DisplayName("Every block has a name of its own, except a block's output, which follows it.")
  void names() {
    Set<String> seen = new HashSet<>();
    DocBlock before = null;
    for (DocBlock block : DocBlock.all()) {
      if (block.language().equals("text")) {
        assertThat(before).as("%s is what the block before it prints", block).isNotNull();
        assertThat(before.page()).as("%s", block).isEqualTo(block.page());
        assertThat(before.language()).as("%s follows %s", block, before).isEqualTo("sh");
      } else {
        assertThat(block.name())
            .as("%s has a name: <!-- tested: … --> above it", block)
            .isNotEmpty();
        assertThat(seen.add(block.page() + ", " + block.name())).as("%s once", block).isTrue();
      }
      before = block;
    }
  }

  @Test
  @DisplayName("Every block is run by a test that names it.")
  void tests() {
    Set<List<String>> tested = tested();
    for (DocBlock block : DocBlock.all()) {
      if (!block.language().equals("text")) {
        assertThat(tested)
            .as(
                "%s is run by a test, which finds it by DocBlock.of, or docBlock in client-js",
                block)
            .contains(List.of(block.page(), block.name()));
      }
    }
    for (List<String> call : tested) {
      assertThat(DocBlock.ofPage(call.get(0)))
          .as(call.get(0))
          .anyMatch(block -> block.name().equals(call.get(1)));
    }
  }
}
