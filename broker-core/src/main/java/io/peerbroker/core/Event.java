package io.peerbroker.core;

import java.time.Duration;
import java.util.Objects;

/**
 * An event on a stream: what a {@link Transport} polls and writes.
 *
 * <p>Later versions add kinds of events, and components to the existing kinds. A transport writes
 * the kinds that it knows and skips the others: give a {@code switch} a {@code default} branch that
 * does so. Read components by their accessors; record patterns and constructors change with each
 * new component.
 */
public sealed interface Event {

  /**
   * The first event of every channel: its identity and its secret.
   *
   * @param key the channel's secret; not in {@link #toString()}, since it must not be logged
   * @param resume for how long the channel survives the loss of its stream; zero for not at all
   * @param lease how often the broker must hear from the client at least; zero if there is no lease
   * @param ice the ICE servers that the client may use
   */
  record Opened(String id, String key, Duration resume, Duration lease, IceConfiguration ice)
      implements Event {
    public Opened {
      Objects.requireNonNull(id, "id");
      Objects.requireNonNull(key, "key");
      Objects.requireNonNull(ice, "ice");
    }

    @Override
    public int size() {
      return 96 + id.length() + key.length() + ice.size();
    }

    @Override
    public String toString() {
      return "Opened[" + id + "]";
    }
  }

  /** A message for the channel or one of its sessions. */
  record Received(Message message) implements Event {
    @Override
    public int size() {
      return 160 + message.origin().length() + message.target().length() + message.json().length();
    }
  }

  /**
   * A message whose sender was answered {@link Delivery.Queued} was not delivered: its target did
   * not come back.
   *
   * @param id the id in the answer to the sender
   * @param target the target as the sender wrote it
   * @param reason why the target's channel has closed
   */
  record Undelivered(String id, String target, CloseReason reason) implements Event {
    @Override
    public int size() {
      return 96 + id.length() + target.length();
    }
  }

  /** A session is in the list, or has changed and is now as shown. */
  record Added(ListedSession session) implements Event {

    /** Its size without the session. */
    static final int BYTES = 32;

    @Override
    public int size() {
      return BYTES + session.size();
    }
  }

  /** A session that was added is no longer in the list. */
  record Removed(String sid) implements Event {
    @Override
    public int size() {
      return 64 + sid.length();
    }
  }

  /**
   * The list as it was when the watch began has been sent; {@code count} sessions have been added
   * and not removed.
   */
  record Ready(int count) implements Event {
    @Override
    public int size() {
      return 64;
    }
  }

  /**
   * An event of a list that a channel's stream carries under a name ({@link Request.Watch}).
   *
   * @param watch the name of the list
   * @param shared the event, which may go to other streams too: an {@link Added}, {@link Removed}
   *     or {@link Ready}. Write {@link Envelope#encoded}, and put the name into it
   */
  record Watched(String watch, Envelope shared) implements Event {
    public Watched {
      Objects.requireNonNull(watch, "watch");
      Objects.requireNonNull(shared, "shared");
    }

    @Override
    public int size() {
      return 64 + watch.length() + shared.size();
    }
  }

  /**
   * A list that a channel's stream carried has ended, and its name is free. After a client has come
   * back it may be notified again of the ends that it has seen.
   *
   * @param watch the name of the list
   * @param reason {@link CloseReason#CLOSED}, {@link CloseReason#OVERFLOW} or {@link
   *     CloseReason#SCOPE_CHANGED}
   */
  record Unwatched(String watch, CloseReason reason) implements Event {
    public Unwatched {
      Objects.requireNonNull(watch, "watch");
      Objects.requireNonNull(reason, "reason");
    }

    @Override
    public int size() {
      return 96 + watch.length();
    }
  }

  /**
   * Returns the approximate bytes that it takes while it waits, which count against the bound of a
   * queue.
   */
  int size();
}
