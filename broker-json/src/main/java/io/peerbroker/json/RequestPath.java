package io.peerbroker.json;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The path of a request, below the broker: which action it asks for, and on what.
 *
 * @param action what the request is for
 * @param id the cid, sid or target in the path; empty for {@link Action#OPEN_SESSION}, whose path
 *     has none
 */
public record RequestPath(Action action, String id) {

  private static final String CHANNEL = "/channel/";
  private static final String SESSION = "/session/";
  private static final String SEND = "/send/";

  /** What a request is for. Later versions may add actions. */
  public enum Action {
    /** {@code /channel/<cid>/ping}: notes that the client is there. */
    PING,
    /** {@code /channel/<cid>/ice}: asks for ICE servers. */
    ICE,
    /** {@code /channel/<cid>/watch}: begins a list on the channel's stream. */
    WATCH,
    /** {@code /channel/<cid>/unwatch}: ends such a list. */
    UNWATCH,
    /** {@code /channel/<cid>/close}: closes the channel. */
    CLOSE_CHANNEL,
    /** {@code /session}: creates a session. */
    OPEN_SESSION,
    /** {@code /session/<sid>/update}: changes a session. */
    UPDATE_SESSION,
    /** {@code /session/<sid>/close}: closes a session. */
    CLOSE_SESSION,
    /** {@code /send/<target>}: sends messages. */
    SEND
  }

  /** Checks that both parts are there. */
  public RequestPath {
    Objects.requireNonNull(action, "action");
    Objects.requireNonNull(id, "id");
  }

  /**
   * Returns what a path means, or null if it is none of the protocol's.
   *
   * @param path the path below the broker, percent-decoded, like {@code /send/<target>}
   */
  public static @Nullable RequestPath of(String path) {
    if (path.startsWith(SEND)) {
      String target = path.substring(SEND.length());
      return target.isEmpty() || target.indexOf('/') >= 0
          ? null
          : new RequestPath(Action.SEND, target);
    }
    if (path.equals("/session")) {
      return new RequestPath(Action.OPEN_SESSION, "");
    }
    int start = path.startsWith(CHANNEL) || path.startsWith(SESSION) ? CHANNEL.length() : -1;
    int end = start < 0 ? -1 : path.indexOf('/', start);
    if (end <= start) {
      return null;
    }
    Action action = action(path.startsWith(CHANNEL), path.substring(end + 1));
    return action == null ? null : new RequestPath(action, path.substring(start, end));
  }

  private static @Nullable Action action(boolean ofChannel, String word) {
    return switch (word) {
      case "ping" -> ofChannel ? Action.PING : null;
      case "ice" -> ofChannel ? Action.ICE : null;
      case "watch" -> ofChannel ? Action.WATCH : null;
      case "unwatch" -> ofChannel ? Action.UNWATCH : null;
      case "update" -> ofChannel ? null : Action.UPDATE_SESSION;
      case "close" -> ofChannel ? Action.CLOSE_CHANNEL : Action.CLOSE_SESSION;
      default -> null;
    };
  }
}
