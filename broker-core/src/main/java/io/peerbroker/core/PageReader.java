package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of the list that is fetched piece by piece, for adapters that write it as fast as its
 * reader takes it: {@link Gateway#readPage}. Used by one thread at a time.
 *
 * <p>Which sessions are on the page is settled when it is made; each is shown as it is when it is
 * fetched, and left out if it is listed no more, passes the filter no more, or may be seen no more.
 * Between two pieces it keeps a byte or two for each session, and none of what they show.
 */
public interface PageReader {

  /** Returns the cursor for the next page, as {@link Page#next()}. */
  @Nullable String next();

  /**
   * Returns the sessions that follow: some, of at most 8 KiB as JSON and one session together; none
   * when the page has ended. With a policy its predicate is asked here again.
   */
  List<ListedSession> more();
}
