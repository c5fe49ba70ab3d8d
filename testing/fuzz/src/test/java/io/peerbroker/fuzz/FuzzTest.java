package io.peerbroker.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.FilterTarget;
import io.peerbroker.core.JsonTarget;
import io.peerbroker.servlet.ParserTarget;
import io.peerbroker.servlet.RequestTarget;
import io.peerbroker.servlet.SseEncoderTarget;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The short run, in every build: each target gets its corpus, and the same corpus with random
 * damage that is the same each time. Another seed, and more tries:
 *
 * <pre>
 *   mvn -B test -pl testing/fuzz -am -Dtest=FuzzTest -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Dfuzz.seed=2 -Dfuzz.tries=1000000
 * </pre>
 *
 * <p>The longer run, by hand, is Jazzer's, which is led by coverage. Here a minute for one target;
 * it writes its findings to files and names them:
 *
 * <pre>
 *   mvn -B test-compile dependency:build-classpath -pl testing/fuzz -am -Dmdep.outputFile=target/cp
 *   cd testing/fuzz
 *   mkdir -p target/found
 *   java -Xmx1g -cp target/test-classes:$(cat target/cp) com.code_intelligence.jazzer.Jazzer \
 *       --target_class=io.peerbroker.core.JsonTarget \
 *       --instrumentation_includes='io.peerbroker.core.**:io.peerbroker.servlet.**' \
 *       --disabled_hooks=com.code_intelligence.jazzer.sanitizers.RegexInjection:com.code_intelligence.jazzer.sanitizers.RegexRoadblocks \
 *       -max_total_time=60 target/found corpus/JsonTarget
 * </pre>
 *
 * <p>(The disabled hooks concern regular expressions. Only the judges here have any, and the hooks
 * slow them down.)
 *
 * <p>A finding gets a fix and a test of its own at the place of the fault, and its input goes into
 * the corpus.
 */
class FuzzTest {

  private static final int MAX_LENGTH = 4_096;

  /** A whole Jetty: it gets a tenth of the tries. */
  private static final String SLOW = "RequestTarget";

  /** Pieces that damage is likely to need, besides random bytes. */
  private static final List<byte[]> WORDS =
      Stream.of(
              "\r\n",
              "\n\n",
              "data: ",
              "event: x\n",
              "id: ",
              ":",
              "\uFEFF",
              "\u2028",
              "\0",
              "\uD83D\uDE00",
              "{",
              "}",
              "[",
              "]",
              "\"",
              "\\u0000",
              "\\ud800",
              "\\",
              ",",
              "!",
              "null",
              "-0.5e+7",
              "%2F",
              "%FF",
              "%",
              "+",
              "&",
              "=",
              ";q=0.5",
              "*/*",
              "filter",
              "Content-Length: 1\r\n",
              "\u0001",
              "\u0002",
              "\u0003",
              "HTTP/1.1",
              "/broker/",
              "//",
              ";",
              "..",
              "0\r\n\r\n",
              "\u0085",
              "\u3000")
          .map(word -> word.getBytes(java.nio.charset.StandardCharsets.UTF_8))
          .toList();

  static List<Arguments> targets() {
    return List.of(
        target("JsonTarget", JsonTarget::fuzzerTestOneInput),
        target("FilterTarget", FilterTarget::fuzzerTestOneInput),
        target("RequestTarget", RequestTarget::fuzzerTestOneInput),
        target("SseEncoderTarget", SseEncoderTarget::fuzzerTestOneInput),
        target("ParserTarget", ParserTarget::fuzzerTestOneInput));
  }

  private static Arguments target(String name, Consumer<byte[]> target) {
    return Arguments.of(name, target);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("targets")
  void holdsForItsCorpusAndWhatIsLikeIt(String name, Consumer<byte[]> target) throws IOException {
    List<byte[]> corpus = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("fuzz.corpus"), name))) {
      for (Path file : files.sorted().toList()) {
        corpus.add(Files.readAllBytes(file));
      }
    }
    corpus.forEach(input -> run(target, input));
    int tries = Integer.getInteger("fuzz.tries") / (name.equals(SLOW) ? 10 : 1);
    SplittableRandom random = new SplittableRandom(Long.getLong("fuzz.seed"));
    for (int i = 0; i < tries; i++) {
      run(target, damaged(corpus, random));
    }
  }

  /** Otherwise similar inputs would never get far. */
  @ParameterizedTest
  @CsvSource({
    "channel, text/event-stream",
    "list, text/event-stream",
    "send, HTTP/1.1 200",
    "send-chunks, HTTP/1.1 200",
    "session, HTTP/1.1 201",
    "update, HTTP/1.1 200",
    "close-session, HTTP/1.1 200",
    "close, HTTP/1.1 200",
    "ping, HTTP/1.1 200"
  })
  void theCorpusDoesWhatItIsFor(String name, String answer) throws IOException {
    byte[] request = Files.readAllBytes(Path.of(System.getProperty("fuzz.corpus"), SLOW, name));
    assertThat(RequestTarget.answersTo(request)).contains(answer).doesNotContain("HTTP/1.1 4");
  }

  private static void run(Consumer<byte[]> target, byte[] input) {
    try {
      target.accept(input.clone());
    } catch (Throwable failed) {
      throw new AssertionError(
          "This input failed (Base64): " + Base64.getEncoder().encodeToString(input), failed);
    }
  }

  private static byte[] damaged(List<byte[]> corpus, SplittableRandom random) {
    byte[] bytes = corpus.get(random.nextInt(corpus.size()));
    for (int damages = 1 + random.nextInt(4); damages > 0; damages--) {
      int from = random.nextInt(bytes.length + 1);
      int to = Math.min(bytes.length, from + random.nextInt(1 + random.nextInt(16)));
      byte[] instead =
          switch (random.nextInt(5)) {
            case 0 -> new byte[0];
            case 1 -> new byte[] {(byte) random.nextInt(256)};
            case 2 -> WORDS.get(random.nextInt(WORDS.size()));
            case 3 -> piece(bytes, random);
            default -> piece(corpus.get(random.nextInt(corpus.size())), random);
          };
      ByteArrayOutputStream made = new ByteArrayOutputStream();
      made.write(bytes, 0, from);
      made.writeBytes(instead);
      made.write(bytes, to, bytes.length - to);
      bytes = Arrays.copyOf(made.toByteArray(), Math.min(made.size(), MAX_LENGTH));
    }
    return bytes;
  }

  private static byte[] piece(byte[] of, SplittableRandom random) {
    int from = random.nextInt(of.length + 1);
    return Arrays.copyOfRange(of, from, from + random.nextInt(of.length - from + 1));
  }
}
