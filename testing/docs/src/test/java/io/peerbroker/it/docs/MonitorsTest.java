package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * No thread parks inside a monitor: up to JDK 23 a virtual one would keep its carrier, and some of
 * them could stop every virtual thread of the JVM. The sources are read for it, since it happens on
 * few JDKs, under load, and then for ever.
 */
final class MonitorsTest {

  /**
   * Calls that park, wait, or lead into code that may: a timer's and an executor's locks are not
   * ours.
   */
  private static final Pattern PARKS =
      Pattern.compile(
          "\\block\\(\\)|\\btryLock\\(|\\blockInterruptibly\\(|\\bawait\\w*\\(|\\bwait\\(|\\btimedWait\\("
              + "|\\bpark\\w*\\(|\\bsleep\\(|\\bjoin\\(|\\bForeignCalls\\b|\\bdirectory\\b"
              + "|\\bschedule\\w*\\(|\\bcancel\\(|\\bexecute\\(|\\bsubmit\\(");

  private static final Pattern MONITOR = Pattern.compile("\\bsynchronized\\b");

  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\n]*");

  private record Source(Path file, String code) {

    /** Returns the block behind each {@code synchronized}. */
    List<String> monitors() {
      List<String> bodies = new ArrayList<>();
      Matcher matcher = MONITOR.matcher(code);
      while (matcher.find()) {
        int start = code.indexOf('{', matcher.end());
        int end = start + 1;
        for (int depth = 1; depth > 0; end++) {
          depth += code.charAt(end) == '{' ? 1 : code.charAt(end) == '}' ? -1 : 0;
        }
        bodies.add(code.substring(start, end));
      }
      return bodies;
    }
  }

  private static List<Source> sources() {
    return Stream.of("broker-core/src/main", "broker-servlet/src/main")
        .flatMap(folder -> ProjectFiles.java(folder).stream())
        .map(file -> new Source(file, COMMENT.matcher(ProjectFiles.read(file)).replaceAll("")))
        .toList();
  }

  @Test
  void nothingParksInsideOne() {
    List<Source> sources = sources();
    assertThat(sources).hasSizeGreaterThan(60);
    for (Source source : sources) {
      for (String body : source.monitors()) {
        assertThat(PARKS.matcher(body).results().map(MatchResult::group))
            .as("what may park inside a monitor of %s: %s", source.file.getFileName(), body)
            .isEmpty();
      }
    }
  }

  @Test
  void theDocumentNamesThemAll() {
    String document =
        ProjectFiles.read(DocBlock.root().resolve("docs/concurrency.md"))
            .replaceAll("(?s).*\nMonitors \\(|\n\n.*", "");
    Set<String> said = new TreeSet<>();
    Pattern.compile("`([A-Z]\\w+)`")
        .matcher(document.replaceAll("(?s): each is.*", ""))
        .results()
        .forEach(name -> said.add(name.group(1)));
    Set<String> have = new TreeSet<>();
    for (Source source : sources()) {
      if (!source.monitors().isEmpty()) {
        have.add(source.file.getFileName().toString().replace(".java", ""));
      }
    }
    assertThat(said).isEqualTo(have);
  }
}
