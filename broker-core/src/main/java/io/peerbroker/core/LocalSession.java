package io.peerbroker.core;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A session in this broker's directory. */
final class LocalSession implements Session {

  private static final int BYTES = 600;
  private static final int TAG_BYTES = 300;

  /**
   * The changeable properties of a session, replaced as a whole. Created outside locks, together
   * with its sizes, since computing them looks at every character.
   *
   * @param bytes the approximate bytes of heap, including its entries in the index if no other
   *     session has its tags
   * @param shownSize an upper bound of its bytes as JSON in a list
   */
  record State(List<String> tags, boolean listed, Json metadata, int bytes, int shownSize) {

    /** The length of an id, which is the same for all sessions. */
    private static final int ID_LENGTH = 36;

    static State of(SessionSpec spec) {
      // A slice would retain the whole request for as long as the session lives.
      return of(spec.tags(), spec.isListed(), spec.metadata().compact());
    }

    private static State of(List<String> tags, boolean listed, Json metadata) {
      int bytes = BYTES + metadata.length();
      for (String tag : tags) {
        bytes += TAG_BYTES + 2 * tag.length();
      }
      return new State(
          tags, listed, metadata, bytes, ListedSession.size(ID_LENGTH, tags, metadata));
    }

    /** Returns whether an event shows this state. */
    @SuppressWarnings("ReferenceEquality") // see below
    boolean isShownBy(Envelope envelope) {
      return envelope.event() instanceof Event.Added added
          && added.session().tags() == tags
          && added.session().metadata() == metadata;
    }

    /** Returns the state after an update; this one if the update changes nothing. */
    @SuppressWarnings("ReferenceEquality") // see below
    State after(SessionUpdate update) {
      // Equal values stay the same object: comparisons elsewhere use identity.
      List<String> newTags =
          update.tags() == null || update.tags().equals(tags) ? tags : update.tags();
      Json newMetadata =
          update.metadata() == null || update.metadata().equals(metadata)
              ? metadata
              : update.metadata().compact();
      boolean newListed = update.listed() == null ? listed : update.listed();
      return newTags == tags && newMetadata == metadata && newListed == listed
          ? this
          : of(newTags, newListed, newMetadata);
    }
  }

  /**
   * A reference to a session from changes that wait. It may outlive the session, and then retains
   * only its number and id, not its tags, metadata and host.
   */
  static final class Ref {
    final long number;
    final String id;

    /** Null once it has closed; written under the directory's write lock. */
    private volatile @Nullable LocalSession session;

    private Ref(LocalSession session) {
      this.session = session;
      number = session.number;
      id = session.id;
    }

    /** Returns the session; null once it has closed. */
    @Nullable LocalSession session() {
      return session;
    }

    /** Returns whether an event shows the session as it is now. */
    boolean isShownBy(Envelope envelope) {
      LocalSession now = session;
      return now != null && now.state.isShownBy(envelope);
    }
  }

  final LocalChannel host;
  private final String id;

  /** Its position in the order of creation. */
  final long number;

  final Ref ref;
  final Lifecycle lifecycle;

  // Written under the directory's write lock.
  volatile State state;

  /** False once it was closed by itself, not with its host. */
  volatile boolean open = true;

  LocalSession(LocalChannel host, String id, long number, State state) {
    this.host = host;
    this.id = id;
    this.number = number;
    this.state = state;
    ref = new Ref(this);
    lifecycle = host.lifecycleOf(this);
  }

  /** Notes that it has been closed. Called under the directory's write lock. */
  void closed() {
    open = false;
    ref.session = null;
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
