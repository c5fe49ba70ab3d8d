package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class DemoPageTest {

  @Test
  void knowsAllOfItsFiles() throws Exception {
    var files = new TreeSet<String>();
    files.add("/");
    // A folder of classes reads as the names in it.
    try (var folder =
        new BufferedReader(
            new InputStreamReader(
                requireNonNull(DemoPage.class.getResourceAsStream("/demo/")), UTF_8))) {
      folder.lines().forEach(name -> files.add("/" + name));
    }
    assertThat(DemoPage.FILES).containsExactlyInAnyOrderElementsOf(files);
  }
}
