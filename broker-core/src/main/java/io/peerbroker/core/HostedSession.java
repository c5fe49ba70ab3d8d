package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/** A session in this broker's directory. */
final class HostedSession implements Session {

  private static final int BYTES = 600;
  private static final int TAG_BYTES = 300;

  /** All that can change about a session, replaced as a whole. */
  record State(List<String> tags, boolean listed, Json metadata) {

    State(SessionSpec spec) {
      // A slice would keep the whole request alive for as long as the session lives.
      this(spec.tags(), spec.isListed(), spec.metadata().compact());
    }

    /** About what it takes in the heap, with its places in the index if no other has its tags. */
    int bytes() {
      int bytes = BYTES + metadata.length();
      for (String tag : tags) {
        bytes += TAG_BYTES + 2 * tag.length();
      }
      return bytes;
    }

    State after(SessionUpdate update) {
      return new State(
          update.tags() != null ? update.tags() : tags,
          update.listed() != null ? update.listed() : listed,
          update.metadata() != null ? update.metadata().compact() : metadata);
    }
  }

  final HostedChannel host;
  private final String id;

  /** Its place in the order of creation. */
  final long number;

  final Story story;

  // Written under the directory's write lock.
  volatile State state;

  /** Whether it has not been closed by itself. */
  volatile boolean open = true;

  HostedSession(HostedChannel host, String id, long number, State state) {
    this.host = host;
    this.id = id;
    this.number = number;
    this.state = state;
    story = host.storyOf(this);
  }

  ListedSession show(State shown) {
    return new ListedSession(id, shown.tags(), shown.metadata());
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public Channel host() {
    return host;
  }

  @Override
  public List<String> tags() {
    return state.tags();
  }

  @Override
  public Json metadata() {
    return state.metadata();
  }

  @Override
  public boolean isListed() {
    return state.listed();
  }

  @Override
  public boolean isOpen() {
    return open && host.isOpen();
  }

  @Override
  public void update(SessionUpdate update) {
    Objects.requireNonNull(update, "update");
    host.update(this, update, asked -> asked);
  }

  @Override
  public void close() {
    host.close(this);
  }

  @Override
  public String toString() {
    return "Session[" + id + "]";
  }
}
