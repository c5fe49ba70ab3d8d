package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of the list that is read piece by piece, for adapters that write it as fast as its reader
 * takes it: {@link Gateway#readPage}. Used by one thread at a time.
 *
 * <p>The sessions on the page are fixed when it is created. Each is shown as it is when it is read,
 * and left out if it is no longer listed, no longer passes the filter, or may no longer be seen.
 * Between two pieces it keeps one or two bytes for each session, and nothing of their content.
 */
public interface PageReader {

  /** Returns the cursor for the next page, as {@link Page#next()}. */
  @Nullable String next();

  /**
   * Returns the next sessions, at most 8 KiB as JSON plus one session; an empty list when the page
   * has ended. With a policy, its predicate is called here again.
   */
  List<ListedSession> more();
}
