package io.peerbroker.core;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The part of the list that a caller may see, as {@link AccessPolicy#scope} returns it.
 *
 * <p>A filter on tags that only the application sets is cheap: watches are indexed by a tag that
 * they require, so sessions of other tenants cost a watch nothing. A predicate is called for each
 * session that passes the filters and for each of its changes; for a page it is called twice, when
 * the page is made and when it is written.
 *
 * @param filter the filter that a session must pass in addition to the caller's own; one that
 *     {@link TagFilter} makes
 * @param visible whether the caller may see a session that passes, or null for all of them. Called
 *     outside locks, one call at a time: for a page on the caller's thread, for a watch on the
 *     thread that reads it. It must be quick, must not block, and must return the same result for
 *     the same session until {@link Broker#recheck()} replaces it. An exception hides the session
 *     and is logged once
 */
public record Scope(TagFilter filter, @Nullable Predicate<? super ListedSession> visible) {

  private static final Scope ALL = new Scope(TagFilter.all(), null);

  public Scope {
    ParsedFilter.of(filter);
  }

  /** Returns the scope of all listed sessions. */
  public static Scope all() {
    return ALL;
  }

  /** Returns the scope of the sessions that pass a filter. */
  public static Scope of(TagFilter filter) {
    return new Scope(filter, null);
  }

  /**
   * Returns the scope of the sessions that have all of these tags, as in {@code
   * Scope.tagged("tenant:42")}.
   */
  public static Scope tagged(String... tags) {
    return new Scope(TagFilter.requiring(tags), null);
  }

  /** Returns this scope reduced to the sessions for which a predicate also holds. */
  public Scope where(Predicate<? super ListedSession> visible) {
    Predicate<? super ListedSession> before = this.visible;
    return new Scope(
        filter,
        before == null ? visible : session -> before.test(session) && visible.test(session));
  }
}
