package io.peerbroker.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
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

  private final ListParts parts;
  private final PageCursors cursors;

  /** The lock that guards the parts. */
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
   * @param parts the list, which the directory changes
   * @param cursors says where pages begin
   * @param reading the lock that keeps changes out
   * @param watchBytes what a new watch must fit into
   */
  ListSearch(ListParts parts, PageCursors cursors, Lock reading, ChangeBudget watchBytes) {
    this.parts = parts;
    this.cursors = cursors;
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
      ListPosition after) {
    List<ListedSession> shown = new ArrayList<>();
    ListPosition next =
        scan(
            batches(filter, parts.others(), after),
            visible,
            limit,
            after,
            found -> shown.add(found.shown()));
    return new Page(shown, next == null ? null : cursors.write(next));
  }

  /**
   * Returns the same page, to be read piece by piece; only the numbers of its sessions are kept.
   */
  PageReader read(
      ParsedFilter filter,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      ListPosition after) {
    ListPart[] others = parts.others();
    DeltaVarints numbers = new DeltaVarints(1 + others.length);
    ListPosition next =
        scan(
            batches(filter, others, after),
            visible,
            limit,
            after,
            found -> numbers.add(seriesOf(found.session(), others), found.session().number));
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
          for (ListedSession session : look(filter, others, left)) {
            if (visibility == null || visibility.shows(session)) {
              shown.add(session);
            }
          }
        }
        return shown;
      }
    };
  }

  /** Returns the place of a session's part: 0 for this node's own. */
  private int seriesOf(SessionRef session, ListPart[] others) {
    if (session.origin != parts.own.origin) {
      for (int i = 0; i < others.length; i++) {
        if (others[i].origin == session.origin) {
          return i + 1;
        }
      }
    }
    return 0;
  }

  /** Returns some sessions as they are now, of which only those that are still listed and pass. */
  private List<ListedSession> look(
      ParsedFilter filter, ListPart[] others, DeltaVarints.Reader numbers) {
    List<ListedSession> shown = new ArrayList<>();
    searching(
        () -> {
          int bytes = 0;
          for (int i = 0; i < BATCH && bytes < PIECE_BYTES && numbers.hasNext(); i++) {
            long number = numbers.next();
            int part = numbers.series();
            // By its tag: since then it may have become empty and begun anew.
            ListPart now = part == 0 ? parts.own : parts.find(others[part - 1].origin);
            ListEntry session = now == null ? null : now.get(number);
            if (session != null && filter.matches(session.state.tags())) {
              shown.add(session.ref.show(session.state));
              bytes += session.state.shownSize();
            }
          }
          return bytes;
        });
    return shown;
  }

  /** Finds sessions in the order of the list, some at a time. */
  private interface Batches {

    /** Adds the next sessions, perhaps none; returns false if there are none after them. */
    boolean next(Collection<Found> found);
  }

  /** Returns what finds the sessions after a position. */
  private Batches batches(ParsedFilter filter, ListPart[] others, ListPosition after) {
    Batches own = new PartBatches(filter, parts.own, after);
    if (others.length == 0) {
      return own;
    }
    List<Batches> each = new ArrayList<>();
    each.add(own);
    for (ListPart part : others) {
      each.add(new PartBatches(filter, part, after));
    }
    return new MergedBatches(each);
  }

  /** Finds the sessions of one part. */
  private final class PartBatches implements Batches {
    private final ParsedFilter filter;
    private final ListPart part;

    /** The number up to which all have been found. */
    private long at;

    PartBatches(ParsedFilter filter, ListPart part, ListPosition after) {
      this.filter = filter;
      this.part = part;
      at =
          // A broker that is alone has its numbers for instants.
          part.origin == Ids.NO_TAG || after.created() == 0
              ? after.created()
              : searching(() -> part.numberOf(after));
    }

    @Override
    public boolean next(Collection<Found> found) {
      at = searching(() -> findLocked(part, filter, at, Long.MAX_VALUE, Integer.MAX_VALUE, found));
      return at < Long.MAX_VALUE;
    }
  }

  /** Merges the sessions of several parts into the order of the list. */
  private static final class MergedBatches implements Batches {

    /** A part, and what was found in it and comes after what others have found. */
    private static final class Leg {
      final Batches batches;
      final Queue<Found> waiting = new ArrayDeque<>();
      boolean hasMore = true;

      Leg(Batches batches) {
        this.batches = batches;
      }

      /** Finds more if nothing waits; returns false if there is nothing left. */
      boolean fill() {
        while (waiting.isEmpty() && hasMore) {
          hasMore = batches.next(waiting);
        }
        return !waiting.isEmpty();
      }
    }

    private final List<Leg> legs = new ArrayList<>();

    MergedBatches(List<Batches> parts) {
      parts.forEach(part -> legs.add(new Leg(part)));
    }

    @Override
    public boolean next(Collection<Found> found) {
      legs.removeIf(leg -> !leg.fill());
      while (!legs.isEmpty()) {
        Leg first =
            Collections.min(
                legs, Comparator.comparing(leg -> leg.waiting.element().session().position()));
        found.add(first.waiting.remove());
        if (first.waiting.isEmpty()) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * Visits a page of the listed sessions.
   *
   * @return where the next page begins; null if there is none
   */
  private static @Nullable ListPosition scan(
      Batches batches,
      @Nullable Predicate<? super ListedSession> visible,
      int limit,
      ListPosition after,
      Consumer<Found> shown) {
    Visibility visibility = visible == null ? null : new Visibility(visible);
    List<Found> found = new ArrayList<>();
    long bytes = 0;
    SessionRef last = null;
    int asked = 0;
    int count = 0;
    for (boolean more = true; more; ) {
      found.clear();
      more = batches.next(found);
      for (Found next : found) {
        if (visibility != null) {
          if (asked++ >= MAX_ASKED) {
            return behind(last, after);
          }
          if (!visibility.shows(next.shown())) {
            last = next.session();
            continue;
          }
        }
        bytes += next.size();
        if (count >= limit || (bytes > Page.MAX_BYTES && count > 0)) {
          return behind(last, after);
        }
        shown.accept(next);
        count++;
        last = next.session();
      }
    }
    return null;
  }

  private static ListPosition behind(@Nullable SessionRef last, ListPosition start) {
    return last == null ? start : last.position();
  }

  /**
   * Returns the position behind which a page begins that a client asks for.
   *
   * @throws RefusedException {@code invalid_request} if there cannot be such a page
   */
  ListPosition pageStart(int limit, @Nullable String after) {
    if (limit < 1 || limit > Page.MAX_LIMIT) {
      throw new RefusedException(Refusals.badLimit());
    }
    return after == null ? ListPosition.START : cursors.read(after);
  }

  /**
   * A session that a search has found, and its state then.
   *
   * @param size an upper bound of its bytes as JSON
   */
  record Found(SessionRef session, ListedSession shown, int size) {}

  private static long findLocked(
      ListPart part,
      ParsedFilter filter,
      long after,
      long upTo,
      int maxBytes,
      Collection<Found> found) {
    List<ListEntry> sessions = new ArrayList<>();
    long at = part.index.find(filter, after, upTo, BATCH, sessions);
    long bytes = 0;
    for (ListEntry session : sessions) {
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
   * Advances a watch's walk through a part by a few sessions, or by some distance if there are none
   * near.
   *
   * @param origin the tag of the part
   * @param maxBytes about how many bytes to find at most, but at least one session
   * @param atEnd run at the end, before any further change
   * @return how far the walk has come
   */
  long walk(
      int origin,
      ParsedFilter filter,
      long after,
      long upTo,
      int maxBytes,
      Collection<Found> found,
      Runnable atEnd) {
    return searching(
        () -> {
          ListPart part = parts.find(origin);
          long at = part == null ? upTo : findLocked(part, filter, after, upTo, maxBytes, found);
          atEnd.run();
          return at;
        });
  }

  /**
   * Refuses a watch that would have to remember more sessions than it may, which would otherwise
   * begin and end again and again.
   */
  void checkRemembers(ParsedFilter filter, long max) {
    long bytes = searching(() -> parts.bytesToRemember(filter));
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
