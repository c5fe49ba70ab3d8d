package io.peerbroker.it.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A configuration as docs/proxies.md or another page beside it gives it: the fenced block behind a
 * comment with its name.
 *
 * @param text the lines of the block
 */
record Snippet(String text) {

  /** The block of this name in docs/proxies.md. */
  static Snippet of(String name) {
    return of("proxies.md", name);
  }

  /** The block of this name in a page of docs. */
  static Snippet of(String pageName, String name) {
    String proxies = System.getProperty("proxies.md");
    assertThat(proxies).as("the system property proxies.md, set by the build").isNotNull();
    Path file = Path.of(proxies).resolveSibling(pageName);
    String page;
    try {
      page = Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String comment = "<!-- tested: " + name + " -->";
    Matcher block =
        Pattern.compile(Pattern.quote(comment) + "\n```[a-z]*\n(.*?\n)```\n", Pattern.DOTALL)
            .matcher(page);
    assertThat(block.find()).as("%s has a block behind %s", file, comment).isTrue();
    return new Snippet(block.group(1));
  }

  /** With something else in the place of what must be there. */
  Snippet with(String place, String instead) {
    assertThat(text).contains(place);
    return new Snippet(text.replace(place, instead));
  }
}
