package io.peerbroker.core;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What has changed about the sessions with one tag: a chain of changes in the order in which they
 * were made, from which the logs of the watches under that tag take when they like.
 *
 * <p>Appending is all that is done for them under the directory's lock: it takes no lock of its
 * own, compares nothing and costs the same however many there are. The chain itself keeps nothing
 * alive: a change goes when the slowest log has passed it. Until then it counts in the budget, and
 * the thread that makes the chain too long has the logs catch up ({@link #isLong()}).
 */
final class ChangeFeed {

  /** How many changes may wait for the slowest log before whoever changes more does its work. */
  static final int LONG = 1_024;

  /** A place in the chain, behind one change and before the next. */
  static final class Place {
    /** Null at the beginning, and where all have passed. */
    private volatile ChangeLog.@Nullable Change change;

    private final long number;
    private volatile @Nullable Place next;
    private volatile @Nullable Envelope removal;

    private Place(ChangeLog.@Nullable Change change, long number) {
      this.change = change;
      this.number = number;
    }

    /** The place behind the next change; null if there is none now. */
    @Nullable Place next() {
      return next;
    }

    /**
     * The change that this place is behind, as those see it whose filter is this one; null if it is
     * none of their business.
     */
    ChangeLog.@Nullable Change seenBy(TagFilter filter) {
      ChangeLog.Change change = this.change;
      if (change == null) {
        return null;
      }
      boolean seen = change.before() != null && filter.matches(change.before());
      // Mostly the tags have not changed, and are the same list.
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
      return new ChangeLog.Change(
          change.session(),
          seen ? change.before() : null,
          sees ? change.after() : null,
          sees || change.after() == null ? change.now() : removal(change.session()));
    }

    /** What is removed for some may be there for others: one envelope for all of the former. */
    private Envelope removal(LocalSession.Ref session) {
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

  /** The end; written with the directory write-locked. */
  private volatile Place end = new Place(null, 0);

  /** The last change that all logs have passed; written under the lock. */
  private volatile Place passed = end;

  ChangeFeed(ChangeBudget budget) {
    this.budget = budget;
  }

  /** Appends a change, with the directory write-locked. */
  void append(ChangeLog.Change change) {
    Place last = end;
    Place next = new Place(change, last.number + 1);
    budget.feed(change);
    last.next = next;
    end = next;
  }

  /** The place behind the last change: no more than that while the directory is locked. */
  Place end() {
    return end;
  }

  /** Notes that all logs have come to a place at least. */
  void passed(Place place) {
    lock.lock();
    try {
      Place at = passed;
      for (Place next = at.next; at.number < place.number && next != null; next = at.next) {
        at = next;
        ChangeLog.Change change = at.change;
        if (change != null) {
          budget.fed(change);
          // The last place stays for as long as the feed does.
          at.change = null;
          at.removal = null;
        }
      }
      passed = at;
    } finally {
      lock.unlock();
    }
  }

  /** Whether so much waits that whoever has added to it has the logs catch up. */
  boolean isLong() {
    long waiting = end.number - passed.number;
    return waiting > LONG || (waiting > 0 && budget.isOverfed());
  }
}
