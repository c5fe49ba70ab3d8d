package io.peerbroker.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which processors the servers and the load run on.
 *
 * @param server what stands before a server's command
 * @param load what stands before the command of the load
 * @param description what both are, in words
 */
record Cores(List<String> server, List<String> load, String description) {

  private static final Pattern RANGE = Pattern.compile("(\\d+)(?:-(\\d+))?");

  /** Gives the servers one processor and the load all others, where that can be done. */
  static Cores apart() throws IOException {
    List<String> allowed = allowed();
    if (allowed.size() < 2) {
      return anywhere("there is only one processor, or no /proc that says which there are");
    }
    if (!isInstalled("taskset")) {
      return anywhere("there is no taskset");
    }
    String first = allowed.get(0);
    String others = String.join(",", allowed.subList(1, allowed.size()));
    return new Cores(
        List.of("taskset", "-c", first),
        List.of("taskset", "-c", others),
        "The servers run on processor %s, the load on %s.".formatted(first, others));
  }

  private static Cores anywhere(String why) {
    return new Cores(
        List.of(),
        List.of(),
        "Servers and load share the processors, since %s: messages a second say little."
            .formatted(why));
  }

  private static List<String> allowed() throws IOException {
    List<String> allowed = new ArrayList<>();
    Path status = Path.of("/proc/self/status");
    if (Files.isReadable(status)) {
      for (String line : Files.readString(status, StandardCharsets.UTF_8).lines().toList()) {
        if (line.startsWith("Cpus_allowed_list:")) {
          Matcher range = RANGE.matcher(line);
          while (range.find()) {
            int last = Integer.parseInt(range.group(range.group(2) == null ? 1 : 2));
            for (int core = Integer.parseInt(range.group(1)); core <= last; core++) {
              allowed.add("" + core);
            }
          }
        }
      }
    }
    return allowed;
  }

  /** Returns whether the path has a program of this name. */
  static boolean isInstalled(String program) {
    String path = System.getenv("PATH");
    return path != null
        && Pattern.compile(java.io.File.pathSeparator, Pattern.LITERAL)
            .splitAsStream(path)
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
