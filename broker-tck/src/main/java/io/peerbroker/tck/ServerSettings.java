package io.peerbroker.tck;

import io.peerbroker.core.Broker;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How a server must differ from the defaults. Immutable; starts from {@link #DEFAULTS}. Later
 * versions add settings.
 */
public final class ServerSettings {

  /**
   * The parameter of the server, not of the servlet: with it the broker has a {@link KitPolicy}.
   * Then no other parameter is one of the broker's.
   */
  public static final String POLICY = "policy";

  /** What stands in front of the broker in its web application. */
  public enum Front {
    /** Nothing. */
    NOTHING,
    /** A filter that hands requests on and does not support asynchronous ones. */
    NO_ASYNC,
    /**
     * A filter that wraps the response, as one that compresses does: bytes that are written to the
     * wrapper go out when the filter's turn is over, and are lost after that.
     */
    WRAPPING,
    /**
     * A filter that sets another encoding for the answer, as old applications do for their pages.
     */
    ENCODING,
    /**
     * A filter that reads the whole body and hands on a copy, as one that checks a signature does;
     * the copy's stream supports no listener and does not know what is available.
     */
    BODY_COPIED,
    /** The same for a filter that reads the body as text, and hands on another body. */
    BODY_REWRITTEN,
    /**
     * A filter that counts the bytes that are read of the body; its stream supports no listener.
     */
    BODY_COUNTED
  }

  /**
   * How many bytes the system may keep for a connection of a container with few threads. By default
   * it keeps several megabytes, and more while they are filled: then a stalled reader seems not to
   * stall at the moment at which Tomcat would park a thread for it.
   */
  public static final int SEND_BUFFER = 32 << 10;

  /** No difference. */
  public static final ServerSettings DEFAULTS =
      new ServerSettings(Map.of(), 0, Duration.ZERO, Front.NOTHING, null);

  private final Map<String, String> parameters;
  private final int threads;
  private final Duration clientTimeout;
  private final Front front;
  private final @Nullable Broker broker;

  private ServerSettings(
      Map<String, String> parameters,
      int threads,
      Duration clientTimeout,
      Front front,
      @Nullable Broker broker) {
    this.parameters = Map.copyOf(parameters);
    this.threads = threads;
    this.clientTimeout = clientTimeout;
    this.front = front;
    this.broker = broker;
  }

  /** The defaults but for one setting. */
  public static ServerSettings of(String name, Object value) {
    return DEFAULTS.and(name, value);
  }

  /** These settings and one more. */
  public ServerSettings and(String name, Object value) {
    Map<String, String> more = new TreeMap<>(parameters);
    more.put(name, value.toString());
    return new ServerSettings(more, threads, clientTimeout, front, broker);
  }

  /** These settings with a {@link KitPolicy} at the broker. */
  public ServerSettings withPolicy() {
    return and(POLICY, "kit");
  }

  /** These settings with this many threads for requests. */
  public ServerSettings withThreads(int count) {
    return new ServerSettings(parameters, count, clientTimeout, front, broker);
  }

  /** These settings with a container that waits for its clients for this long. */
  public ServerSettings withClientTimeout(Duration timeout) {
    return new ServerSettings(parameters, threads, timeout, front, broker);
  }

  /** These settings with something else in front of the broker. */
  public ServerSettings behind(Front other) {
    return new ServerSettings(parameters, threads, clientTimeout, other, broker);
  }

  /** These settings for a broker of the test's, whose parameters can't be given then. */
  public ServerSettings serving(Broker other) {
    return new ServerSettings(parameters, threads, clientTimeout, front, other);
  }

  /**
   * Returns values by the names that the servlet's init-parameters have, in the form in which they
   * are written there; unmodifiable.
   */
  public Map<String, String> parameters() {
    return parameters;
  }

  /**
   * Returns how many threads the container may have for requests, each of its connections then
   * having {@link #SEND_BUFFER}; 0 for as many as it likes, and the system's own buffers.
   */
  public int threads() {
    return threads;
  }

  /**
   * Returns how long the container waits for a client that takes nothing or sends nothing; zero for
   * as long as it does by itself.
   */
  public Duration clientTimeout() {
    return clientTimeout;
  }

  /** Returns what stands before the broker. */
  public Front front() {
    return front;
  }

  /**
   * Returns the broker to serve, which stays the test's to close; null for one that the server
   * makes.
   */
  public @Nullable Broker broker() {
    return broker;
  }

  /** Names every setting with its value. */
  @Override
  public String toString() {
    return "ServerSettings{parameters="
        + new TreeMap<>(parameters)
        + ", threads="
        + threads
        + ", clientTimeout="
        + clientTimeout
        + ", front="
        + front
        + ", broker="
        + broker
        + "}";
  }
}
