package io.peerbroker.it.docs;

import static java.util.function.Predicate.not;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The words that CONTRIBUTING.md has retired are gone: from code, comments and documents. */
final class RetiredWordsTest {

  private static final String TABLE = "CONTRIBUTING.md";

  /** The files to check. A changelog names what is no longer there. */
  private static final List<Path> FILES =
      ProjectFiles.endingIn("", Set.of("java", "md", "js", "html", "svg", "xml", "properties"))
          .stream()
          .filter(file -> !file.endsWith("CHANGELOG.md"))
          .toList();

  private static final Pattern ROW = Pattern.compile("(?m)^\\| ([^|]+) \\| ([^|]+) \\| [^|]+ \\|$");

  /** The end of a line, with what a comment's next line begins with. */
  private static final Pattern LINE_END = Pattern.compile("\\s*\\R\\s*(?:(?:\\*|//)(?!/)\\s)?\\s*");

  /** Where a word in a name ends and another begins; {@link #JOINT} stands there then. */
  private static final Pattern CAMEL = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])|_");

  private static final String JOINT = "~";

  private static final Map<Path, String> TEXTS = texts();

  /**
   * A retired word, and the one to use instead.
   *
   * @param word as in the table: as code ({@code `Word`}) it is what a name begins with
   */
  record Retired(String word, String instead) {

    Pattern pattern() {
      return word.startsWith("`")
          ? Pattern.compile("(?<![\\w~])" + word.replace("`", "") + "(?!\\w)")
          : Pattern.compile(
              "(?<!\\w)" + word.replace(" ", "[ ~]") + "(?!\\w)", Pattern.CASE_INSENSITIVE);
    }
  }

  static List<Retired> words() {
    return words(section());
  }

  @ParameterizedTest
  @MethodSource("words")
  @DisplayName("No file has a retired word.")
  void areGone(Retired retired) {
    Pattern pattern = retired.pattern();
    List<String> found = new ArrayList<>();
    TEXTS.forEach(
        (file, text) -> {
          for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
            int from = Math.max(0, matcher.start() - 40);
            int to = Math.min(text.length(), matcher.end() + 40);
            found.add(file + ": " + text.substring(from, to));
          }
        });
    assertThat(found).as("say %s", retired.instead()).isEmpty();
  }

  @Test
  @DisplayName("A word is found in a name, over the end of a line, and in any case.")
  void areFoundInAnyForm() {
    List<Retired> words =
        words("| wrong word, `Bad` | a better one | it reads |\n| --- | --- | --- |\n");
    assertThat(words).extracting(Retired::word).containsExactly("wrong word", "`Bad`");
    assertThat(words).extracting(Retired::instead).containsOnly("a better one");
    Pattern any = words.get(0).pattern();
    for (String text : List.of("Wrong words", "a wrongword", "wrong, word")) {
      assertThat(any.matcher(plain(text)).find()).as(text).isFalse();
    }
    for (String text :
        List.of("aWrongWord()", "WRONG_WORD", "  * a wrong\n   * word", "wrong\nword")) {
      assertThat(any.matcher(plain(text)).find()).as(text).isTrue();
    }
    Pattern exact = words.get(1).pattern();
    for (String text : List.of("a bad one", "a Badge", "isBad()")) {
      assertThat(exact.matcher(plain(text)).find()).as(text).isFalse();
    }
    assertThat(exact.matcher(plain("new BadChannel()")).find()).isTrue();
  }

  private static List<Retired> words(String table) {
    List<Retired> words = new ArrayList<>();
    for (Matcher row = ROW.matcher(table); row.find(); ) {
      String instead = row.group(2);
      Stream.of(row.group(1).split(", "))
          .filter(not("---"::equals))
          .filter(not("not"::equals))
          .forEach(word -> words.add(new Retired(word, instead)));
    }
    return words;
  }

  private static String section() {
    String text = ProjectFiles.read(DocBlock.root().resolve(TABLE));
    int from = text.indexOf("\n## Words\n");
    return text.substring(from, text.indexOf("\n## ", from + 1));
  }

  private static Map<Path, String> texts() {
    Map<Path, String> texts = new TreeMap<>();
    for (Path file : FILES) {
      String text = ProjectFiles.read(file);
      Path name = DocBlock.root().relativize(file);
      texts.put(name, plain(name.endsWith(TABLE) ? text.replace(section(), "") : text));
    }
    return texts;
  }

  /** Returns a text on one line, with a joint between the words of a name. */
  private static String plain(String text) {
    return CAMEL.matcher(LINE_END.matcher(text).replaceAll(" ")).replaceAll(JOINT);
  }
}
