package io.peerbroker.servlet;

import io.peerbroker.core.Broker;
import io.peerbroker.core.BrokerBuilder;
import io.peerbroker.core.IceServer;
import io.peerbroker.core.IceServers;
import io.peerbroker.core.Limits;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The settings as a servlet's init-params: which there are, and how each is written. */
final class InitParams {

  private static final String PRESET = "preset";
  private static final String OPEN_TO_EVERYBODY = "openToEverybody";

  private static final String ICE_SERVERS = "iceServers";
  private static final String TURN_SECRET_FILE = "turnSecretFile";
  private static final String TURN_TTL = "turnTtl";

  /** These three make one setting of the broker. */
  private static final Set<String> ICE = Set.of(ICE_SERVERS, TURN_SECRET_FILE, TURN_TTL);

  /** Credentials that outlast nearly every call. */
  private static final Duration DEFAULT_TURN_TTL = Duration.ofDays(1);

  private static final Map<String, BiConsumer<BrokerBuilder, String>> BROKER =
      new LinkedHashMap<>();
  private static final Map<String, BiFunction<HttpSettings, String, HttpSettings>> HTTP =
      new LinkedHashMap<>();

  static {
    BROKER.put("maxChannels", (b, v) -> b.maxChannels(integer(v)));
    BROKER.put("maxWatches", (b, v) -> b.maxWatches(integer(v)));
    BROKER.put("maxSessionsPerChannel", (b, v) -> b.maxSessionsPerChannel(integer(v)));
    BROKER.put("maxWatchesPerChannel", (b, v) -> b.maxWatchesPerChannel(integer(v)));
    BROKER.put("maxTagsPerSession", (b, v) -> b.maxTagsPerSession(integer(v)));
    BROKER.put("maxMessageBytes", (b, v) -> b.maxMessageBytes(integer(v)));
    BROKER.put("maxMetadataBytes", (b, v) -> b.maxMetadataBytes(integer(v)));
    BROKER.put("maxJsonDepth", (b, v) -> b.maxJsonDepth(integer(v)));
    BROKER.put("maxQueuedEvents", (b, v) -> b.maxQueuedEvents(integer(v)));
    BROKER.put("maxQueuedBytes", (b, v) -> b.maxQueuedBytes(integer(v)));
    BROKER.put("maxTotalQueuedBytes", (b, v) -> b.maxTotalQueuedBytes(number(v)));
    BROKER.put("maxTotalSessionBytes", (b, v) -> b.maxTotalSessionBytes(number(v)));
    BROKER.put("maxTotalWatchBytes", (b, v) -> b.maxTotalWatchBytes(number(v)));
    BROKER.put("messageRate", (b, v) -> b.messageRate(rate(v)));
    BROKER.put("sessionRate", (b, v) -> b.sessionRate(rate(v)));
    BROKER.put("maxReplayEvents", (b, v) -> b.maxReplayEvents(integer(v)));
    BROKER.put("maxReplayBytes", (b, v) -> b.maxReplayBytes(integer(v)));
    BROKER.put("maxResume", (b, v) -> b.maxResume(duration(v)));
    BROKER.put("leaseBounds", InitParams::leaseBounds);
    BROKER.put("listPause", (b, v) -> b.listPause(duration(v)));
    BROKER.put("drainTimeout", (b, v) -> b.drainTimeout(duration(v)));
    BROKER.put("requireSessionKey", (b, v) -> b.requireSessionKey(bool(v)));
    HTTP.put("heartbeat", (s, v) -> s.withHeartbeat(duration(v)));
    HTTP.put("retry", (s, v) -> s.withRetry(duration(v)));
    HTTP.put("writeTimeout", (s, v) -> s.withWriteTimeout(duration(v)));
    HTTP.put("bodyTimeout", (s, v) -> s.withBodyTimeout(duration(v)));
    HTTP.put("maxBodyBytes", (s, v) -> s.withMaxBodyBytes(integer(v)));
    HTTP.put("allowedOrigins", (s, v) -> s.withAllowedOrigins(v.strip().split("\\s*,\\s*")));
    HTTP.put("serveClient", (s, v) -> s.withServeClient(bool(v)));
    HTTP.put("serveSockets", (s, v) -> s.withServeSockets(bool(v)));
    HTTP.put("allowedHeaders", (s, v) -> s.withAllowedHeaders(v.strip().split("\\s*,\\s*")));
  }

  private final Map<String, String> unused;

  InitParams(Map<String, String> params) {
    unused = new LinkedHashMap<>(params);
  }

  /** HTTP's settings; what is not given has its default. */
  HttpSettings httpSettings() {
    HttpSettings settings =
        isOpenToEverybody() ? HttpSettings.openToEverybody() : HttpSettings.defaults();
    for (var setting : HTTP.entrySet()) {
      String value = unused.remove(setting.getKey());
      if (value != null) {
        HttpSettings before = settings;
        settings = read(setting.getKey(), value, text -> setting.getValue().apply(before, text));
      }
    }
    return settings;
  }

  /** A broker of these settings; what is not given has its default. */
  Broker broker() {
    BrokerBuilder builder = Broker.builder();
    if (isOpenToEverybody()) {
      builder.openToEverybody();
    }
    // Read only here: for HTTP alone the preset would leave the broker as open as before.
    unused.remove(PRESET);
    for (var setting : BROKER.entrySet()) {
      String value = unused.remove(setting.getKey());
      if (value != null) {
        read(
            setting.getKey(),
            value,
            text -> {
              setting.getValue().accept(builder, text);
              return builder;
            });
      }
    }
    iceServers(builder);
    return builder.build();
  }

  /** Reads which STUN and TURN servers clients get. */
  private void iceServers(BrokerBuilder builder) {
    String urls = unused.remove(ICE_SERVERS);
    String file = unused.remove(TURN_SECRET_FILE);
    String ttl = unused.remove(TURN_TTL);
    if (urls == null && (file != null || ttl != null)) {
      throw new IllegalArgumentException(
          "The init-params '"
              + TURN_SECRET_FILE
              + "' and '"
              + TURN_TTL
              + "' are for the servers in '"
              + ICE_SERVERS
              + "', which is missing.");
    }
    if (file == null && ttl != null) {
      throw new IllegalArgumentException(
          "The init-param '" + TURN_TTL + "' is for '" + TURN_SECRET_FILE + "', which is missing.");
    }
    if (urls == null) {
      return;
    }
    Duration valid =
        ttl == null ? DEFAULT_TURN_TTL : read(TURN_TTL, ttl, InitParams::durationOrDays);
    String secret = file == null ? null : read(TURN_SECRET_FILE, file, InitParams::secret);
    builder.iceServers(
        read(
            ICE_SERVERS,
            urls,
            text -> {
              String[] each = text.split("\\s*,\\s*");
              return secret == null
                  ? IceServers.of(IceServer.of(each))
                  : IceServers.timeLimited(secret, valid, each);
            }));
  }

  /** The first line of a file, so that no secret stands among the settings. */
  private static String secret(String file) {
    try (BufferedReader reader = Files.newBufferedReader(Path.of(file))) {
      String line = reader.readLine();
      if (line == null || line.isBlank()) {
        throw new IllegalArgumentException(
            "the first line of the file must be the TURN server's secret");
      }
      return line.strip();
    } catch (IOException | InvalidPathException unreadable) {
      throw new IllegalArgumentException("the file cannot be read: " + unreadable, unreadable);
    }
  }

  /** A time as all others are written, or in hours or days. */
  private static Duration durationOrDays(String text) {
    if (text.matches("[0-9]{1,6}[hd]")) {
      long amount = number(text.substring(0, text.length() - 1));
      return text.endsWith("d") ? Duration.ofDays(amount) : Duration.ofHours(amount);
    }
    return duration(text);
  }

  /** Whether the settings start from those of a preset, which the others then change. */
  private boolean isOpenToEverybody() {
    String preset = unused.get(PRESET);
    return preset != null
        && read(
            PRESET,
            preset,
            text -> {
              if (!text.equals(OPEN_TO_EVERYBODY)) {
                throw new IllegalArgumentException("there is only " + OPEN_TO_EVERYBODY);
              }
              return true;
            });
  }

  /** Refuses unknown init-params: a mistyped name must not pass for a setting. */
  void requireAllUsed(String giver) {
    for (String name : unused.keySet()) {
      if (BROKER.containsKey(name)
          || HTTP.containsKey(name)
          || ICE.contains(name)
          || name.equals(PRESET)) {
        throw new IllegalArgumentException(
            "The init-param '"
                + name
                + "' would have no effect, since the broker or its HTTP settings are given by "
                + giver
                + ".");
      }
      TreeSet<String> known = new TreeSet<>(BROKER.keySet());
      known.addAll(HTTP.keySet());
      known.addAll(ICE);
      known.add(PRESET);
      throw new IllegalArgumentException(
          "There is no init-param '" + name + "'; there are " + String.join(", ", known) + ".");
    }
  }

  private static <T> T read(String name, String value, Function<String, T> reader) {
    try {
      return reader.apply(value.strip());
    } catch (IllegalArgumentException wrong) {
      throw new IllegalArgumentException(
          "The init-param '" + name + "' is '" + value + "': " + wrong.getMessage(), wrong);
    }
  }

  private static int integer(String text) {
    long number = number(text);
    if (number > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("it must be at most " + Integer.MAX_VALUE);
    }
    return (int) number;
  }

  private static long number(String text) {
    // Beyond any size or time that makes sense, and far from any overflow.
    if (text.matches("[0-9]{1,15}")) {
      return Long.parseLong(text);
    }
    throw new IllegalArgumentException("it must be a whole number of at most 15 digits");
  }

  private static boolean bool(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("it must be true or false");
    };
  }

  private static Limits.Rate rate(String text) {
    if (text.equals("0")) {
      return Limits.Rate.UNLIMITED;
    }
    String[] parts = text.split("/", 2);
    int perSecond = integer(parts[0].strip());
    if (perSecond > 1_000_000) {
      throw new IllegalArgumentException("it must be at most 1000000 a second, or 0 for no bound");
    }
    return new Limits.Rate(
        perSecond,
        parts.length == 2 ? integer(parts[1].strip()) : Math.multiplyExact(perSecond, 2));
  }

  /** Two times with a slash between them, {@code 15s/5m}, or {@code 0s} to turn leases off. */
  private static void leaseBounds(BrokerBuilder builder, String text) {
    String[] parts = text.split("/", 2);
    Duration shortest = duration(parts[0].strip());
    builder.leaseBounds(shortest, parts.length == 2 ? duration(parts[1].strip()) : shortest);
  }

  /** A time like {@code 15s}, {@code 500ms} or {@code 2m}. */
  private static Duration duration(String text) {
    String unit = text.replaceFirst("^[0-9]+", "").toLowerCase(Locale.ROOT);
    if (text.length() > unit.length()) {
      long amount = number(text.substring(0, text.length() - unit.length()));
      switch (unit) {
        case "ms" -> {
          return Duration.ofMillis(amount);
        }
        case "s" -> {
          return Duration.ofSeconds(amount);
        }
        case "m" -> {
          return Duration.ofMinutes(amount);
        }
        default -> {}
      }
    }
    throw new IllegalArgumentException("it must be a time like 15s, 500ms or 2m");
  }
}
