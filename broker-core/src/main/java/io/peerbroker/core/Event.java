package io.peerbroker.core;

import java.time.Duration;
import java.util.Objects;

/** What goes down a stream. */
public sealed interface Event {

  /**
   * The first event of every channel: who it is, and its secret.
   *
   * @param key not in {@link #toString()}, since it must not be logged
   * @param resume for how long the channel lives on when its stream breaks; zero for not at all
   * @param lease how often the client must be heard from at least; zero for no such promise
   */
  record Opened(String id, String key, Duration resume, Duration lease) implements Event {
    public Opened {
      Objects.requireNonNull(id, "id");
      Objects.requireNonNull(key, "key");
    }

    @Override
    public int size() {
      return 96 + id.length() + key.length();
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
   * A message that was answered as {@link Delivery.Queued} has not been delivered: its target did
   * not come back.
   *
   * @param id what the sender was answered
   * @param target the target as the sender wrote it
   * @param reason why the target's channel has closed
   */
  record Undelivered(String id, String target, CloseReason reason) implements Event {
    @Override
    public int size() {
      return 96 + id.length() + target.length();
    }
  }

  /** A session is in the list, or has changed and is like this now. */
  record Added(ListedSession session) implements Event {

    /** What it takes besides the session. */
    static final int BYTES = 32;

    @Override
    public int size() {
      return BYTES + session.size();
    }
  }

  /** A session that was added is in the list no more. */
  record Removed(String sid) implements Event {
    @Override
    public int size() {
      return 64 + sid.length();
    }
  }

  /**
   * The list is complete as it was when the watch began; {@code count} sessions have been added and
   * not removed.
   */
  record Ready(int count) implements Event {
    @Override
    public int size() {
      return 64;
    }
  }

  /** About how many bytes it takes while it waits: what it counts for in the bound of a queue. */
  int size();
}
