package io.peerbroker.benchmarks;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What {@code relay} compares, and for how long: settings that a command line gives as {@code
 * name=value}.
 *
 * <ul>
 *   <li>{@code servers}: their names, separated by commas ({@link RelayServer})
 *   <li>{@code streams}: how many are open on each
 *   <li>{@code bytes}: the size of a message
 *   <li>{@code connections}: how many send in the closed loop, each with one request under way
 *   <li>{@code rates}: messages a second of the open loops, separated by commas; may be empty
 *   <li>{@code body}: how a request's body comes after its head ({@link Body})
 *   <li>{@code warm}: for how many seconds each server is warmed up
 *   <li>{@code rounds}: how often each loop is measured, all servers in turn
 *   <li>{@code seconds}: how long one of these takes
 *   <li>{@code java}: further options of the servers' JVMs, separated by white space
 * </ul>
 */
final class RelayOptions {

  /** How a request's body comes after its head. */
  enum Body {
    /** In one write. */
    TOGETHER,
    /** In a write of its own, at once after the head: what most HTTP clients do. */
    APART,
    /** In a write of its own, a while after the head, when a quick server has seen the head. */
    LATE
  }

  private static final String NUMBER = "[0-9]{1,9}(\\.[0-9]{1,3})?";
  private static final String COUNT = "[1-9][0-9]{0,6}";

  private static final Map<String, String> FORMATS =
      Map.of(
          "servers",
          "[a-z0-9-]+(,[a-z0-9-]+)*",
          "streams",
          COUNT,
          "bytes",
          "[1-9][0-9]{2,4}",
          "connections",
          COUNT,
          "rates",
          "(" + COUNT + "(," + COUNT + ")*)?",
          "body",
          "together|apart|late",
          "warm",
          NUMBER,
          "rounds",
          COUNT,
          "seconds",
          NUMBER,
          "java",
          ".*");

  private final Map<String, String> values;

  private RelayOptions(Map<String, String> values) {
    this.values = values;
  }

  /** What docs/performance.md describes. */
  static RelayOptions full() {
    return new RelayOptions(
        Map.of(
            "servers",
            "jetty11,jetty11-bare,jetty12,jetty12-bare,tomcat10,tomcat10-bare,undertow,undertow-bare,runnable",
            "streams",
            "10000",
            "bytes",
            "1500",
            "connections",
            "32",
            "rates",
            "1000,5000",
            "body",
            "apart",
            "warm",
            "40",
            "rounds",
            "5",
            "seconds",
            "5",
            "java",
            ""));
  }

  /** Enough to see that everything runs. */
  static RelayOptions smoke() {
    return full()
        .with(
            "servers",
            "jetty11,jetty11-bare,jetty12,jetty12-bare,tomcat10,tomcat10-bare,undertow,undertow-bare")
        .with("streams", "50")
        .with("connections", "4")
        .with("rates", "200")
        .with("warm", "0.1")
        .with("rounds", "2")
        .with("seconds", "0.1");
  }

  /**
   * Returns these options with another value.
   *
   * @throws IllegalArgumentException if there is no such option, or the value is none that it takes
   */
  RelayOptions with(String name, String value) {
    String format = FORMATS.get(name);
    if (format == null) {
      throw new IllegalArgumentException(
          "Not an option of relay: %s. The options are %s."
              .formatted(name, FORMATS.keySet().stream().sorted().toList()));
    }
    if (!value.matches(format)) {
      throw new IllegalArgumentException(
          "Not a value of relay's option %s: %s. It must match %s.".formatted(name, value, format));
    }
    if (name.equals("servers")) {
      list(value).forEach(RelayServer::named);
    }
    Map<String, String> changed = new LinkedHashMap<>(values);
    changed.put(name, value);
    return new RelayOptions(changed);
  }

  List<RelayServer> servers() {
    return list(value("servers")).map(RelayServer::named).toList();
  }

  int streams() {
    return Integer.parseInt(value("streams"));
  }

  int messageBytes() {
    return Integer.parseInt(value("bytes"));
  }

  int connections() {
    return Integer.parseInt(value("connections"));
  }

  List<Integer> rates() {
    return list(value("rates")).map(Integer::valueOf).toList();
  }

  Body body() {
    return Body.valueOf(value("body").toUpperCase(java.util.Locale.ROOT));
  }

  Duration warmUp() {
    return seconds("warm");
  }

  int rounds() {
    return Integer.parseInt(value("rounds"));
  }

  Duration round() {
    return seconds("seconds");
  }

  List<String> serverOptions() {
    return Stream.of(value("java").split("\\s+", -1)).filter(option -> !option.isEmpty()).toList();
  }

  private Duration seconds(String name) {
    return Duration.ofMillis(Math.round(1e3 * Double.parseDouble(value(name))));
  }

  private String value(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("There is no option " + name);
    }
    return value;
  }

  private static Stream<String> list(String value) {
    return Stream.of(value.split(",", -1)).filter(each -> !each.isEmpty());
  }
}
