package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Some of the listed sessions that pass a filter, in order of creation.
 *
 * @param sessions the sessions on this page; unmodifiable
 * @param next an opaque cursor for {@link Broker#list(TagFilter, int, String)} if there are more
 *     sessions, otherwise null. It stays valid when sessions come and go, even the one that it
 *     refers to
 */
public record Page(List<ListedSession> sessions, @Nullable String next) {

  /** The default limit of the sessions on a page. */
  public static final int DEFAULT_LIMIT = 1_000;

  /** The highest limit that can be requested. */
  public static final int MAX_LIMIT = 10_000;

  /**
   * The most bytes of a page as a JSON array; a page that would be larger ends early. A session
   * that is larger by itself has a page of its own.
   */
  public static final int MAX_BYTES = 1 << 20;

  public Page {
    sessions = List.copyOf(sessions);
  }
}
