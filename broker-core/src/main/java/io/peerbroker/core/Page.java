package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Some of the listed sessions that pass a filter, in order of creation.
 *
 * @param sessions those on this page; unmodifiable
 * @param next an opaque cursor for {@link Broker#list(TagFilter, int, String)} while there is more,
 *     else null. It stays good when sessions come and go, also when the one that it stands for has
 *     gone
 */
public record Page(List<ListedSession> sessions, @Nullable String next) {

  /** How many sessions a page has where nothing is said. */
  public static final int DEFAULT_LIMIT = 1_000;

  /** How many sessions can be asked for at the most. */
  public static final int MAX_LIMIT = 10_000;

  /**
   * How many bytes a page may come to as a JSON array, before it ends early. A session that is
   * larger alone has a page of its own.
   */
  public static final int MAX_BYTES = 1 << 20;

  public Page {
    sessions = List.copyOf(sessions);
  }
}
