package io.peerbroker.core;

import java.util.List;

/**
 * The changeable properties of a session, replaced as a whole. Created outside locks, together with
 * its sizes, since computing them looks at every character.
 *
 * @param bytes the approximate bytes of heap, including its entries in the index if no other
 *     session has its tags
 * @param shownSize an upper bound of its bytes as JSON in a list
 */
record SessionState(List<String> tags, boolean listed, Json metadata, int bytes, int shownSize) {

  private static final int BYTES = 600;
  private static final int TAG_BYTES = 300;

  /** The length of an id, which is the same for all sessions. */
  private static final int ID_LENGTH = 36;

  static SessionState of(SessionSpec spec) {
    // A slice would retain the whole request for as long as the session lives.
    return of(spec.tags(), spec.isListed(), spec.metadata().compact());
  }

  private static SessionState of(List<String> tags, boolean listed, Json metadata) {
    int bytes = BYTES + metadata.length();
    for (String tag : tags) {
      bytes += TAG_BYTES + 2 * tag.length();
    }
    return new SessionState(
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
  SessionState after(SessionUpdate update) {
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
