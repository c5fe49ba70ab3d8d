package io.peerbroker.it.common;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One fenced block of the project's documents, as readers copy it.
 *
 * <p>A block has its name by a comment right above it, which no reader sees: {@code <!-- tested:
 * name -->}. A block in the language {@code text} that follows another is the output of that one.
 *
 * @param page the document, as a path from the project's root: {@code docs/limits.md}
 * @param line the line of the opening fence, from 1
 * @param name the name by which tests find it, empty if it has none
 * @param language the word behind the opening fence, empty if there is none
 * @param text its lines, each with its line feed
 */
public record DocBlock(String page, int line, String name, String language, String text) {

  private static final String NAMED = "<!-- tested: ";
  private static final String FENCE = "```";

  /** Returns the project's root, wherever below it the tests run. */
  public static Path root() {
    return Stream.iterate(Path.of("").toAbsolutePath(), Path::getParent)
        .takeWhile(folder -> folder != null)
        .filter(folder -> Files.exists(folder.resolve("docs/protocol.md")))
        .findFirst()
        .orElseThrow();
  }

  /** Returns the paths of all documents from the root: those in it, in docs, and in client-js. */
  public static List<String> pages() {
    List<String> pages = new ArrayList<>();
    for (Path folder : List.of(root(), root().resolve("docs"), root().resolve("client-js"))) {
      try (Stream<Path> files = Files.list(folder)) {
        files
            .map(file -> root().relativize(file).toString())
            .filter(page -> page.endsWith(".md"))
            .sorted()
            .forEach(pages::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return pages;
  }

  /** Returns the blocks of all documents. */
  public static List<DocBlock> all() {
    return pages().stream().flatMap(page -> ofPage(page).stream()).toList();
  }

  /** Returns the blocks of one document, in their order. */
  public static List<DocBlock> ofPage(String page) {
    List<String> lines;
    try {
      lines = Files.readAllLines(root().resolve(page));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<DocBlock> blocks = new ArrayList<>();
    int opening = -1;
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < lines.size(); at++) {
      String line = lines.get(at);
      boolean fence = line.stripLeading().startsWith(FENCE);
      if (fence && opening < 0) {
        opening = at;
        text.setLength(0);
      } else if (fence) {
        String language = lines.get(opening).strip().substring(FENCE.length());
        blocks.add(
            new DocBlock(page, opening + 1, nameAbove(lines, opening), language, text.toString()));
        opening = -1;
      } else if (opening >= 0) {
        text.append(line).append('\n');
      }
    }
    if (opening >= 0) {
      throw new AssertionError(page + ":" + (opening + 1) + " opens a block that nothing closes");
    }
    return blocks;
  }

  private static String nameAbove(List<String> lines, int opening) {
    for (int at = opening - 1; at >= 0 && lines.get(at).startsWith("<!-- "); at--) {
      if (lines.get(at).startsWith(NAMED)) {
        return lines.get(at).substring(NAMED.length(), lines.get(at).length() - " -->".length());
      }
    }
    return "";
  }

  /** Returns the block of a document that has this name. */
  public static DocBlock of(String page, String name) {
    return ofPage(page).stream()
        .filter(block -> block.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> new AssertionError(page + " has no block below " + NAMED + name + " -->"));
  }

  /** Returns this block with one of its texts, which it must contain, replaced. */
  public DocBlock with(String place, String instead) {
    if (!text.contains(place)) {
      throw new AssertionError(this + " does not contain " + place + ":\n" + text);
    }
    return new DocBlock(page, line, name, language, text.replace(place, instead));
  }

  /**
   * Returns the documented output of the block: the next block in the document, which has the
   * language {@code text}.
   */
  public List<String> printed() {
    DocBlock next =
        ofPage(page).stream()
            .filter(block -> block.line() > line)
            .findFirst()
            .filter(block -> block.language().equals("text"))
            .orElseThrow(() -> new AssertionError("No block in the language text follows " + this));
    return next.text().lines().toList();
  }

  /**
   * Returns the pattern of lines that agree with a document. In it {@code …} stands, with the
   * letters, digits and hyphens right before it, for any characters: {@code "cid":"ba5b9be1-…"}.
   */
  public static Pattern pattern(List<String> lines) {
    return Pattern.compile(
        lines.stream()
            .map(
                line ->
                    Stream.of(line.split("[\\w-]*…", -1))
                        .map(Pattern::quote)
                        .collect(Collectors.joining(".*")))
            .collect(Collectors.joining("\n")));
  }

  /** Returns where it stands. */
  @Override
  public String toString() {
    return page + ":" + line + (name.isEmpty() ? "" : " (" + name + ")");
  }
}
