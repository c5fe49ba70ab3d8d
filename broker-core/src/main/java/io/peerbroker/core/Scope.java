package io.peerbroker.core;

import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a caller may see of the list: the answer of {@link AccessPolicy#scope}.
 *
 * <p>A filter on tags that only the application sets is the cheap way: watches are found by a tag
 * that they require, so sessions of other tenants cost a watcher nothing. A predicate is asked
 * about each session that passes the filters, at each of its changes; on a page twice, when the
 * page is made and when it is written.
 *
 * @param filter what a session must pass besides what the caller asks for
 * @param visible whether the caller may see a session that passes, or null for every one. Called
 *     outside locks: for a page on the caller's thread, for a watch on the thread that reads it,
 *     one call at a time. It must be quick and not block, and gives the same answer for the same
 *     session until {@link Broker#recheck()} replaces it. What it throws hides the session, and is
 *     logged once
 */
public record Scope(TagFilter filter, @Nullable Predicate<? super ListedSession> visible) {

  private static final Scope ALL = new Scope(TagFilter.all(), null);

  public Scope {
    Objects.requireNonNull(filter, "filter");
  }

  /** Everything that is listed. */
  public static Scope all() {
    return ALL;
  }

  /** The sessions that pass a filter. */
  public static Scope of(TagFilter filter) {
    return new Scope(filter, null);
  }

  /** The sessions that have all of these tags: {@code Scope.tagged("tenant:42")}. */
  public static Scope tagged(String... tags) {
    return new Scope(TagFilter.requiring(tags), null);
  }

  /** The same, and of these only the ones that a predicate holds for too. */
  public Scope where(Predicate<? super ListedSession> visible) {
    Predicate<? super ListedSession> before = this.visible;
    return new Scope(
        filter,
        before == null ? visible : session -> before.test(session) && visible.test(session));
  }
}
