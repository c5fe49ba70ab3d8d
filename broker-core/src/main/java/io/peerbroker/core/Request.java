package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A remote client's request as a value: an adapter creates one for each request and passes it to
 * {@link Gateway#perform}. No {@code toString} shows a key, an event's id, or a message.
 */
public sealed interface Request {

  /** Returns the channel that acts, and the proof for it. */
  Actor actor();

  private static void requireKey(Actor actor) {
    Objects.requireNonNull(actor, "actor");
    Objects.requireNonNull(actor.key(), "key");
  }

  private static void requireName(String name) {
    Objects.requireNonNull(name, "name");
    int codePoints = name.codePointCount(0, name.length());
    if (codePoints == 0 || codePoints > Watch.MAX_NAME) {
      throw new IllegalArgumentException(
          "The name of a list must have 1 to "
              + Watch.MAX_NAME
              + " code points, not "
              + codePoints
              + ".");
    }
  }

  /**
   * The acting channel, as the client states it. Start from {@link #of}. Immutable; later versions
   * add parts.
   */
  final class Actor {

    private final String id;
    private final @Nullable String key;
    private final @Nullable String seen;
    private final Duration patience;
    private final long seq;

    private Actor(
        String id, @Nullable String key, @Nullable String seen, Duration patience, long seq) {
      this.id = id;
      this.key = key;
      this.seen = seen;
      this.patience = patience;
      this.seq = seq;
    }

    /**
     * Returns an actor without a key.
     *
     * @param id the id of the acting channel; for {@link Send}, it may also be that of one of its
     *     sessions
     */
    public static Actor of(String id) {
      return new Actor(Objects.requireNonNull(id, "id"), null, null, Duration.ZERO, 0);
    }

    /** Returns this actor with the key that it shows as its channel's. */
    public Actor withKey(String key) {
      return new Actor(id, Objects.requireNonNull(key, "key"), seen, patience, seq);
    }

    /**
     * Returns this actor with the id of the last event that its client has seen.
     *
     * @param patience how long an event may be on its way to the client before an id that does not
     *     advance shows that the stream is dead: {@link Channel#confirm(String, Duration)}
     */
    public Actor withSeen(String seen, Duration patience) {
      return new Actor(
          id,
          key,
          Objects.requireNonNull(seen, "seen"),
          Objects.requireNonNull(patience, "patience"),
          seq);
    }

    /**
     * Returns this actor with the number that its client gives the request, so that it may be
     * repeated when its answer is lost. Of the requests of one channel with the same number, one is
     * performed, and all have its answer; a lower number than the greatest so far is refused
     * ({@code invalid_request}). Such a request needs the key. {@link Ping}, {@link AskIceServers}
     * and {@link CloseChannel} ignore the number, since it does no harm to repeat them.
     *
     * @param seq at least 1
     * @throws IllegalArgumentException for a number below 1
     */
    public Actor withSeq(long seq) {
      if (seq < 1) {
        throw new IllegalArgumentException("seq must be at least 1, not " + seq);
      }
      return new Actor(id, key, seen, patience, seq);
    }

    /** Returns the id of the acting channel; for {@link Send}, perhaps that of a session. */
    public String id() {
      return id;
    }

    /**
     * Returns the key that the client has shown, which must not be logged. It is null only for
     * {@link OpenSession}, with which clients of the protocol's first draft send none.
     */
    public @Nullable String key() {
      return key;
    }

    /**
     * Returns the id of the last event that the client has seen, or null if it does not say. It is
     * as good as a key.
     */
    public @Nullable String seen() {
      return seen;
    }

    /** Returns how long an event may be on its way to the client. */
    public Duration patience() {
      return patience;
    }

    /** Returns the number of the request; 0 if it has none. */
    public long seq() {
      return seq;
    }

    /** Shows only the id: everything else is secret, or of no use. */
    @Override
    public String toString() {
      return "Actor[" + id + "]";
    }
  }

  /** Shows that the client lives. The answer is {@link Answer.Pong}. */
  record Ping(Actor actor) implements Request {
    public Ping {
      requireKey(actor);
    }
  }

  /** Asks for ICE servers afresh. The answer is {@link Answer.IceServersGiven}. */
  record AskIceServers(Actor actor) implements Request {
    public AskIceServers {
      requireKey(actor);
    }
  }

  /** Closes the channel. The answer is {@link Answer.Done}. */
  record CloseChannel(Actor actor) implements Request {
    public CloseChannel {
      requireKey(actor);
    }
  }

  /**
   * Has the channel's stream carry a list ({@link Event.Watched}), until the channel closes or the
   * list ends ({@link Event.Unwatched}). If there is a list with this name and this filter, nothing
   * happens. The answer is {@link Answer.Done}. Refused for a channel whose reader is in this JVM
   * ({@code invalid_request}), since that watches with {@link Broker#watch}.
   *
   * @param name 1 to {@value #MAX_NAME} code points of the client's choice
   * @param filter from {@link TagFilter#parse}
   */
  record Watch(Actor actor, String name, TagFilter filter) implements Request {

    /** How many code points a name may have. */
    public static final int MAX_NAME = 64;

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException for a name that is empty or too long
     */
    public Watch {
      requireKey(actor);
      requireName(name);
      Objects.requireNonNull(filter, "filter");
    }
  }

  /**
   * Ends a list that the channel's stream carries, if there is one with this name. The answer is
   * {@link Answer.Done}.
   *
   * @param name 1 to {@value Watch#MAX_NAME} code points
   */
  record Unwatch(Actor actor, String name) implements Request {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException for a name that is empty or too long
     */
    public Unwatch {
      requireKey(actor);
      requireName(name);
    }
  }

  /** Opens a session on the channel. The answer is {@link Answer.SessionOpened}. */
  record OpenSession(Actor actor, SessionSpec spec) implements Request {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException for an actor with a number and without a key
     */
    public OpenSession {
      Objects.requireNonNull(actor, "actor");
      Objects.requireNonNull(spec, "spec");
      if (actor.seq() != 0 && actor.key() == null) {
        throw new IllegalArgumentException("A request with a number needs the key.");
      }
    }

    @Override
    public String toString() {
      return "OpenSession[" + actor + "]";
    }
  }

  /** Changes a session of the channel. The answer is {@link Answer.Done}. */
  record UpdateSession(Actor actor, String sid, SessionUpdate update) implements Request {
    public UpdateSession {
      requireKey(actor);
      Objects.requireNonNull(sid, "sid");
      Objects.requireNonNull(update, "update");
    }

    @Override
    public String toString() {
      return "UpdateSession[" + actor + ", " + sid + "]";
    }
  }

  /** Closes a session of the channel. The answer is {@link Answer.Done}. */
  record CloseSession(Actor actor, String sid) implements Request {
    public CloseSession {
      requireKey(actor);
      Objects.requireNonNull(sid, "sid");
    }
  }

  /**
   * Sends messages to one target, in order. The answer is {@link Answer.Delivered}.
   *
   * @param actor its id is the origin of each message
   * @param messages at least one, at most {@value #MAX_MESSAGES}
   */
  record Send(Actor actor, String target, List<Json> messages) implements Request {

    /** How many messages one request may carry. */
    public static final int MAX_MESSAGES = 64;

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if there is no message, or more than {@value #MAX_MESSAGES}
     */
    public Send {
      requireKey(actor);
      Objects.requireNonNull(target, "target");
      messages = List.copyOf(messages);
      if (messages.isEmpty() || messages.size() > MAX_MESSAGES) {
        throw new IllegalArgumentException(
            "A request to send must have 1 to "
                + MAX_MESSAGES
                + " messages, not "
                + messages.size()
                + ".");
      }
    }

    @Override
    public String toString() {
      return "Send[" + actor + ", " + target + ", messages=" + messages.size() + "]";
    }
  }
}
