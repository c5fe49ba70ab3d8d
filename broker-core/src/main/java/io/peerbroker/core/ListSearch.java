package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads the list of a {@link Directory}: pages, and the walks with which watches begin.
 *
 * <p>Each search is read-locked, for a few sessions at a time, so that changes get in. The
 * application's predicates are called after it.
 */
final class ListSearch {

  /** How many sessions a search finds at most before it lets changes in. */
  private static final int BATCH = 64;

  /**
   * For how many sessions a page calls the application's predicate at most: a page with few visible
   * sessions is better than a reader that waits.
   */
  private static final int MAX_ASKED = 10_000;

  /** How many bytes of a page are read at a time, but at least one session. */
  private static final int PIECE_BYTES = 8 << 10;

  private final PageCursors cursors = new PageCursors();
  private final TagIndex<LocalSession> listed;

  /** The lock that guards the index. */
  private final Lock reading;

  /**
   * Held while searching. If all walks held the read lock at once, one of them would always be
   * waiting for a processor, and every change would wait for that one. It is not a monitor: a
   * virtual thread that waited for the read lock inside one would pin its carrier (JDK 21 to 23),
   * and with all carriers pinned, the change that is next in the read lock's queue would never run.
   */
  private final ReentrantLock searching = new ReentrantLock();

  private final ChangeBudget watchBytes;

  /**
   * @param listed the index, which the directory changes
   * @param reading the lock that keeps changes out
   * @param watchBytes what a new watch must fit into
   */
  ListSearch(TagIndex<LocalSession> listed, Lock reading, ChangeBudget watchBytes) {
    this.listed = listed;
    this.reading = reading;
    this.watchBytes = watchBytes;
  }

  /**
   * Returns a page of the listed sessions. A session that comes or goes meanwhile may be on it or
   * not.
   */
  Page page(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      long after) {
    List<ListedSession> shown = new ArrayList<>();
    Long next = scan(filter, visible, limit, after, found -> shown.add(found.shown()));
    return new Page(shown, next == null ? null : cursors.write(next));
  }

  /**
   * Returns the same page, to be read piece by piece; only the numbers of its sessions are kept.
   */
  PageReader read(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      long after) {
    DeltaVarints numbers = new DeltaVarints();
    Long next = scan(filter, visible, limit, after, found -> numbers.add(found.session().number));
    Visibility visibility = visible == null ? null : new Visibility(visible);
    return new PageReader() {
      private final DeltaVarints.Reader left = numbers.read();

      @Override
      public @Nullable String next() {
        return next == null ? null : cursors.write(next);
      }

      @Override
      public List<ListedSession> more() {
        List<ListedSession> shown = new ArrayList<>();
        while (shown.isEmpty() && left.hasNext()) {
          for (ListedSession session : look(filter, left)) {
            if (visibility == null || visibility.shows(session)) {
              shown.add(session);
            }
          }
        }
        return shown;
      }
    };
  }

  /** Returns some sessions as they are now, of which only those that are still listed and pass. */
  private List<ListedSession> look(ParsedFilter filter, DeltaVarints.Reader numbers) {
    List<ListedSession> shown = new ArrayList<>();
    searching(
        () -> {
          int bytes = 0;
          for (int i = 0; i < BATCH && bytes < PIECE_BYTES && numbers.hasNext(); i++) {
            LocalSession session = listed.get(numbers.next());
            if (session != null && filter.matches(session.state.tags())) {
              shown.add(session.ref.show(session.state));
              bytes += session.state.shownSize();
            }
          }
          return bytes;
        });
    return shown;
  }

  /**
   * Visits a page of the listed sessions.
   *
   * @return where the next page begins; null if there is none
   */
  private @Nullable Long scan(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      long after,
      Consumer<Found> shown) {
    Visibility visibility = visible == null ? null : new Visibility(visible);
    List<Found> found = new ArrayList<>();
    long bytes = 0;
    long last = after;
    int asked = 0;
    int count = 0;
    for (long at = after; at < Long.MAX_VALUE; ) {
      found.clear();
      at = find(filter, at, Long.MAX_VALUE, found);
      for (Found next : found) {
        if (visibility != null) {
          if (asked++ >= MAX_ASKED) {
            return last;
          }
          if (!visibility.shows(next.shown())) {
            last = next.session().number;
            continue;
          }
        }
        bytes += next.size();
        if (count >= limit || (bytes > Page.MAX_BYTES && count > 0)) {
          return last;
        }
        shown.accept(next);
        count++;
        last = next.session().number;
      }
    }
    return null;
  }

  /**
   * Returns the number behind which a page begins that a client asks for.
   *
   * @throws RefusedException {@code invalid_request} if there cannot be such a page
   */
  long pageStart(int limit, @Nullable String after) {
    if (limit < 1 || limit > Page.MAX_LIMIT) {
      throw new RefusedException(Refusals.badLimit());
    }
    return after == null ? 0 : cursors.read(after);
  }

  /**
   * A session that a search has found, and its state then.
   *
   * @param size an upper bound of its bytes as JSON
   */
  record Found(SessionRef session, ListedSession shown, int size) {}

  private long find(ParsedFilter filter, long after, long upTo, Collection<Found> found) {
    return searching(() -> findLocked(filter, after, upTo, Integer.MAX_VALUE, found));
  }

  private long findLocked(
      ParsedFilter filter, long after, long upTo, int maxBytes, Collection<Found> found) {
    List<LocalSession> sessions = new ArrayList<>();
    long at = listed.find(filter, after, upTo, BATCH, sessions);
    long bytes = 0;
    for (LocalSession session : sessions) {
      SessionState state = session.state;
      bytes += state.shownSize();
      if (bytes > maxBytes && !found.isEmpty()) {
        return session.number - 1;
      }
      found.add(new Found(session.ref, session.ref.show(state), state.shownSize()));
    }
    return at;
  }

  /**
   * Advances a watch's walk by a few sessions, or by some distance if there are none near.
   *
   * @param maxBytes about how many bytes to find at most, but at least one session
   * @param place marks the last change that is included in the result; null for no mark
   * @return how far the walk has come
   */
  long walk(
      ParsedFilter filter,
      long after,
      long upTo,
      int maxBytes,
      Collection<Found> found,
      ChangeLog.@Nullable Cursor place) {
    return searching(
        () -> {
          long at = findLocked(filter, after, upTo, maxBytes, found);
          if (place != null) {
            place.mark();
          }
          return at;
        });
  }

  /**
   * Refuses a watch that would have to remember more sessions than it may, which would otherwise
   * begin and end again and again.
   */
  void checkRemembers(ParsedFilter filter, long max) {
    long bytes = searching(() -> listed.bytesToRemember(filter));
    if (bytes > max || !watchBytes.hasRoomFor(bytes)) {
      throw new RefusedException(Refusals.listTooLong(bytes, max));
    }
  }

  /** Runs a search with the read lock, one thread at a time. */
  private long searching(LongSupplier search) {
    searching.lock();
    try {
      reading.lock();
      try {
        return search.getAsLong();
      } finally {
        reading.unlock();
      }
    } finally {
      searching.unlock();
    }
  }
}
