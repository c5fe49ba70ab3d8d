package io.peerbroker.peerjs;

import io.peerbroker.core.SessionSpec;
import io.peerbroker.servlet.HttpSettings;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How PeerJS clients are served. Starts from {@link #defaults()}. Immutable; later versions add
 * settings.
 */
public final class PeerJsSettings {

  private static final Duration MIN = Duration.ofMillis(10);
  private static final Duration MAX = Duration.ofHours(24);

  /** Lets everybody have every id. */
  private static final IdPolicy ANY = (caller, id) -> {};

  private static final PeerJsSettings DEFAULTS =
      new PeerJsSettings(
          HttpSettings.defaults(),
          null,
          null,
          false,
          ANY,
          Duration.ofSeconds(90),
          Duration.ofSeconds(5));

  private final HttpSettings http;
  private final @Nullable String key;
  private final @Nullable String tag;
  private final boolean discovery;
  private final IdPolicy ids;
  private final Duration aliveTimeout;
  private final Duration waitTimeout;

  private PeerJsSettings(
      HttpSettings http,
      @Nullable String key,
      @Nullable String tag,
      boolean discovery,
      IdPolicy ids,
      Duration aliveTimeout,
      Duration waitTimeout) {
    this.http = http;
    this.key = key;
    this.tag = tag;
    this.discovery = discovery;
    this.ids = ids;
    this.aliveTimeout = aliveTimeout;
    this.waitTimeout = waitTimeout;
  }

  /**
   * The defaults of HTTP, any key, no session for an id, no list of ids, ids for everybody; a
   * client is given up after 90 s without a frame, and a frame waits 5 s for its target, as with
   * PeerServer.
   */
  public static PeerJsSettings defaults() {
    return DEFAULTS;
  }

  /**
   * Returns these settings with others of HTTP, of which PeerJS clients get {@link
   * HttpSettings#allowedOrigins}, {@link HttpSettings#writeTimeout} and, as the bounds of a frame,
   * {@link HttpSettings#maxBodyBytes} and {@link HttpSettings#bodyTimeout}.
   */
  public PeerJsSettings withHttp(HttpSettings http) {
    return new PeerJsSettings(
        Objects.requireNonNull(http, "http"), key, tag, discovery, ids, aliveTimeout, waitTimeout);
  }

  /**
   * Returns these settings, in which a WebSocket must show this key: the option {@code key} of a
   * page's {@code Peer}. It is no secret, as each page has it. The HTTP routes take any key, as
   * those of PeerServer do.
   *
   * @throws IllegalArgumentException for an empty key, which no client can show
   */
  public PeerJsSettings withKey(String key) {
    if (Objects.requireNonNull(key, "key").isEmpty()) {
      throw new IllegalArgumentException(
          "key must not be empty, as no client can show that: leave withKey out to take any key.");
    }
    return new PeerJsSettings(http, key, tag, discovery, ids, aliveTimeout, waitTimeout);
  }

  /**
   * Returns these settings, in which each client hosts a listed session with this tag, by which
   * clients of other kinds find and call it. Its metadata is {@code {"peerjs":"<id>"}}. Unless the
   * access policy keeps them from it, others can host a session with the same tag and metadata, so
   * it does not prove who has an id: {@link PeerJsServlet#findChannel} does.
   *
   * @throws io.peerbroker.core.RefusedException {@code invalid_tag} for what is no tag
   */
  public PeerJsSettings withTag(String tag) {
    String normal = SessionSpec.listed(Objects.requireNonNull(tag, "tag")).tags().get(0);
    return new PeerJsSettings(http, key, normal, discovery, ids, aliveTimeout, waitTimeout);
  }

  /**
   * Returns these settings, in which {@code peer.listAllPeers} gives the ids whose sessions the
   * caller may see, at most 1,000, among the first 16,000 sessions with the tag: so it needs a
   * {@link #withTag tag}, without which {@link PeerJsServlet} refuses these settings. Without this
   * it is refused, as by PeerServer.
   *
   * @param discovery whether ids are listed
   */
  public PeerJsSettings withDiscovery(boolean discovery) {
    return new PeerJsSettings(http, key, tag, discovery, ids, aliveTimeout, waitTimeout);
  }

  /** Returns these settings with the application's decision about who may have which id. */
  public PeerJsSettings withIds(IdPolicy ids) {
    return new PeerJsSettings(
        http, key, tag, discovery, Objects.requireNonNull(ids, "ids"), aliveTimeout, waitTimeout);
  }

  /**
   * Returns these settings with another time after which a client is given up that sends nothing,
   * and an eighth more: not at the first look, as the process may have been paused. PeerJS sends a
   * frame every 5 s, and every minute where a browser slows a hidden page.
   *
   * @param aliveTimeout 10 ms to 24 h
   * @throws IllegalArgumentException for another time
   */
  public PeerJsSettings withAliveTimeout(Duration aliveTimeout) {
    check("aliveTimeout", aliveTimeout);
    return new PeerJsSettings(http, key, tag, discovery, ids, aliveTimeout, waitTimeout);
  }

  /**
   * Returns these settings with another time for which frames wait for an id that nobody has yet:
   * each for its own, but the candidates that follow an offer within a fifth of it go with that.
   *
   * @param waitTimeout 10 ms to 24 h
   * @throws IllegalArgumentException for another time
   */
  public PeerJsSettings withWaitTimeout(Duration waitTimeout) {
    check("waitTimeout", waitTimeout);
    return new PeerJsSettings(http, key, tag, discovery, ids, aliveTimeout, waitTimeout);
  }

  private static void check(String name, Duration value) {
    Objects.requireNonNull(value, name);
    if (value.compareTo(MIN) < 0 || value.compareTo(MAX) > 0) {
      throw new IllegalArgumentException(name + " must be from 10 ms to 24 h, not " + value);
    }
  }

  /** Returns the settings of HTTP. */
  public HttpSettings http() {
    return http;
  }

  /** Returns the key that a WebSocket must show; null for any. */
  public @Nullable String key() {
    return key;
  }

  /** Returns the tag of each client's session; null if it hosts none. */
  public @Nullable String tag() {
    return tag;
  }

  /** Returns whether ids are listed. */
  public boolean discovery() {
    return discovery;
  }

  /** Returns who may have which id. */
  public IdPolicy ids() {
    return ids;
  }

  /** Returns whether the application decides who may have which id. */
  boolean hasIds() {
    return ids != ANY;
  }

  /** Returns after how long a client is given up that sends nothing. */
  public Duration aliveTimeout() {
    return aliveTimeout;
  }

  /** Returns for how long a frame waits for an id that nobody has yet. */
  public Duration waitTimeout() {
    return waitTimeout;
  }

  /** Names the settings that are not objects of the application's. */
  @Override
  public String toString() {
    return "PeerJsSettings[tag=%s, discovery=%s, aliveTimeout=%s, waitTimeout=%s, %s]"
        .formatted(tag, discovery, aliveTimeout, waitTimeout, http);
  }
}
