package io.peerbroker.core;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The changes of the sessions with one tag: a chain in the order in which they were made. The logs
 * of the watches under that tag pull from it at their own pace.
 *
 * <p>Appending is the only work for them under the directory's lock: it takes no lock of its own,
 * compares nothing and costs the same however many logs there are. The chain retains nothing longer
 * than needed: a change is freed when the slowest log has passed it. Until then it counts in the
 * budget, and the thread that makes the chain too long makes the logs catch up ({@link #isLong()}).
 */
final class ChangeFeed {

  /**
   * How many changes may wait for the slowest log before a thread that adds one does that log's
   * work.
   */
  static final int LONG = 1_024;

  /** A place in the chain, after one change and before the next. */
  static final class Place {
    /** Null at the beginning, and once all logs have passed it. */
    private volatile @Nullable SessionChange change;

    private final long number;
    private volatile @Nullable Place next;
    private volatile @Nullable Envelope removal;

    private Place(@Nullable SessionChange change, long number) {
      this.change = change;
      this.number = number;
    }

    /** Returns the place after the next change; null if there is none now. */
    @Nullable Place next() {
      return next;
    }

    /**
     * Returns the change before this place as a watch with this filter sees it; null if the watch
     * does not see it.
     */
    @Nullable SessionChange seenBy(ParsedFilter filter) {
      SessionChange change = this.change;
      if (change == null) {
        return null;
      }
      boolean seen = change.before() != null && filter.matches(change.before());
      // Usually the tags have not changed and are the same list.
      boolean sees =
          change.before() == change.after()
              ? seen
              : change.after() != null && filter.matches(change.after());
      if (seen == (change.before() != null) && sees == (change.after() != null)) {
        return change;
      }
      if (!seen && !sees) {
        return null;
      }
      return new SessionChange(
          change.session(),
          seen ? change.before() : null,
          sees ? change.after() : null,
          sees || change.after() == null ? change.now() : removal(change.session()));
    }

    /**
     * A session may vanish for some filters and stay for others: one envelope serves all of the
     * former.
     */
    private Envelope removal(SessionRef session) {
      Envelope known = removal;
      if (known == null) {
        known = Envelope.removed(session.id);
        removal = known;
      }
      return known;
    }
  }

  private final ChangeBudget budget;
  private final ReentrantLock lock = new ReentrantLock();

  /** The end; written while the directory is write-locked. */
  private volatile Place end = new Place(null, 0);

  /** The last change that all logs have passed; written while the lock is held. */
  private volatile Place passed = end;

  ChangeFeed(ChangeBudget budget) {
    this.budget = budget;
  }

  /** Returns the place that a change will take. Called while the directory is write-locked. */
  Place prepare(SessionChange change) {
    return new Place(change, end.number + 1);
  }

  /**
   * Appends a change whose place was prepared since the last one was appended. Needs no memory, so
   * it does not fail. Called while the directory is write-locked.
   */
  void append(Place next, SessionChange change) {
    budget.feed(change);
    end.next = next;
    end = next;
  }

  /** Returns the place after the last change, which cannot move while the directory is locked. */
  Place end() {
    return end;
  }

  /** Notes that all logs have reached a place. */
  void passed(Place place) {
    lock.lock();
    try {
      Place at = passed;
      for (Place next = at.next; at.number < place.number && next != null; next = at.next) {
        at = next;
        SessionChange change = at.change;
        if (change != null) {
          budget.fed(change);
          // The last place stays as long as the feed does.
          at.change = null;
          at.removal = null;
        }
      }
      passed = at;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns whether so much waits that a thread that has added to it must make the logs catch up.
   */
  boolean isLong() {
    long waiting = end.number - passed.number;
    return waiting > LONG || (waiting > 0 && budget.isOverfed());
  }
}
