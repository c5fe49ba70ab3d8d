package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What happened to a session: a single change in a {@link ChangeFeed}, a folded one in a {@link
 * ChangeLog}. It does not retain a closed session.
 *
 * @param before the session's tags before the change, or null if it was not listed, or the log's
 *     filter did not pass it, then
 * @param after the session's tags after the change, or null if it is not listed, or the filter does
 *     not pass it
 * @param now the session after the change, or its removal
 * @param bytes the approximate size without its envelope
 */
record SessionChange(
    SessionRef session,
    @Nullable List<String> before,
    @Nullable List<String> after,
    Envelope now,
    int bytes) {

  /** The approximate bytes of a change, besides its envelope and the tags before it. */
  static final int BYTES = 96;

  /** The approximate bytes of a tag, besides two for each of its UTF-16 code units. */
  private static final int TAG_BYTES = 48;

  SessionChange(
      SessionRef session,
      @Nullable List<String> before,
      @Nullable List<String> after,
      Envelope now) {
    // The tags after the change are those in the envelope.
    this(session, before, after, now, BYTES + (before == after ? 0 : bytesOf(before)));
  }

  private static int bytesOf(@Nullable List<String> tags) {
    int bytes = 0;
    if (tags != null) {
      for (String tag : tags) {
        bytes += TAG_BYTES + 2 * tag.length();
      }
    }
    return bytes;
  }

  int size() {
    return bytes + now.size();
  }
}
