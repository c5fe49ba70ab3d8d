package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import java.util.List;

/** The commands of the documents. */
final class Commands {

  private Commands() {}

  /** Asserts that a command of Maven's names goals, modules and tests that there are. */
  static void assertMavenTakes(String command) {
    List<String> words = List.of(command.replace("'", "").split(" +", -1));
    assertThat(words.get(0)).isEqualTo("mvn");
    for (int at = 1; at < words.size(); at++) {
      String word = words.get(at);
      if (words.get(at - 1).matches("-pl|-f")) {
        for (String module : word.replace("!", "").split(",", -1)) {
          assertThat(DocBlock.root().resolve(module).resolve("pom.xml")).as(command).exists();
        }
      } else if (word.startsWith("-Dtest=")) {
        assertThat(ProjectFiles.tests()).as(command).containsKey(word.substring(7));
      } else if (!word.startsWith("-")) {
        assertThat(word).as(command).isIn("test", "package", "verify", "install", "spotless:apply");
      }
    }
  }
}
