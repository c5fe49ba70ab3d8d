package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The listed sessions of other nodes, as these tell them: they stand in the list beside this node's
 * own, and are found by nothing else.
 *
 * <p>A session belongs to one node at a time. It takes its hop along when it moves, one higher each
 * time, so of two nodes that tell of it, the one with the higher hop is right, in whichever order
 * they are heard. This node's own sessions belong to it, whatever others tell.
 *
 * <p>Changed in steps of the directory, under its write lock. Safe for use by many threads.
 */
final class ForeignSessions {

  /** How many sessions one step drops at most. */
  static final int MAX_DROPPED = 200;

  /** One step of the directory: changes that are made under its write lock, and then fed. */
  interface Step {

    /** Notes that a session has been added or changed. */
    void changed(ListEntry session, @Nullable SessionState before, SessionState after);

    /** Notes that a session has been removed. */
    void removed(ListEntry session);
  }

  /** Makes the steps. */
  interface Steps {

    /** Makes a step, and returns what it returns. */
    <T> T make(Function<Step, T> change);
  }

  /**
   * A session as its node tells of it.
   *
   * @param number its number among the sessions that the node of its id has created
   * @param created when that was, in µs
   * @param hop how often it has moved to another node
   */
  record Told(String id, long number, long created, int hop, SessionSpec spec) {

    private boolean isListed() {
      return number > 0 && created > 0 && hop >= 0 && spec.isListed();
    }
  }

  /** A listed session of another node. */
  private static final class ForeignSession extends ListEntry {

    /** What has told of it last. Changed under the directory's write lock, read without. */
    private volatile Telling teller;

    /** How often it has moved. Changed under the directory's write lock. */
    private int hop;

    ForeignSession(SessionRef ref, SessionState state, Telling teller, int hop) {
      super(ref, state);
      this.teller = teller;
      this.hop = hop;
    }

    /** Returns true: a reference to a session that has been removed leads to none. */
    @Override
    public boolean isOpen() {
      return true;
    }
  }

  private final Steps steps;
  private final ListParts parts;
  private final CreationClock clock;

  /** The bytes that they take and may take. */
  final ByteBudget bytes;

  /** Returns whether this node has a session itself. */
  private final Predicate<String> isOwn;

  /** Changed under the write lock, read without. */
  private final Map<String, ForeignSession> byId = new ConcurrentHashMap<>();

  /** How many tellings have begun, or ended. */
  private final AtomicLong tellings = new AtomicLong();

  /**
   * @param steps makes changes
   * @param parts finds the sessions of a node
   * @param clock is never behind a session of another node
   * @param isOwn returns whether this node has a session itself
   */
  ForeignSessions(
      Steps steps, ListParts parts, CreationClock clock, Predicate<String> isOwn, long maxBytes) {
    this.steps = steps;
    this.parts = parts;
    this.clock = clock;
    this.isOwn = isOwn;
    bytes = new ByteBudget(maxBytes);
  }

  /** Returns how many there are. */
  int count() {
    return byId.size();
  }

  /**
   * Returns the tag of the node to which a session belongs; {@link Ids#NO_TAG} if none is known.
   */
  int ownerOf(String id) {
    ForeignSession session = byId.get(id);
    return session == null ? Ids.NO_TAG : session.teller.node;
  }

  /** Begins a telling, after which what the node has told before is known no longer for certain. */
  Telling begin(int node) {
    return new Telling(node, tellings.incrementAndGet());
  }

  /** Drops everything that a node has told so far: it is gone. */
  Drop drop(int node) {
    return new Drop(node, tellings.incrementAndGet());
  }

  /**
   * Everything that one node tells from one beginning on. If the node begins anew, what it told
   * before stays listed until it is told again or dropped: {@link #dropOlder()}.
   */
  final class Telling {

    private final int node;

    /** Its place in the order of all tellings. */
    private final long order;

    private Telling(int node, long order) {
      this.node = node;
      this.order = order;
    }

    /**
     * Adds a session, or changes it. Does nothing if it belongs to another node, which has a higher
     * hop, or to this one.
     *
     * @return false if there is no room for it: nothing has changed
     * @throws IllegalArgumentException if no node can have told this
     */
    boolean put(Told told) {
      if (Ids.tagOf(told.id()) == Ids.NO_TAG || !told.isListed()) {
        throw new IllegalArgumentException("No node has such a session: " + told);
      }
      // Everything that takes time is done before the lock is taken.
      SessionState fresh = SessionState.of(told.spec());
      SessionUpdate update = new SessionUpdate(fresh.tags(), fresh.listed(), fresh.metadata());
      Outcome outcome;
      do {
        ForeignSession known = byId.get(told.id());
        SessionState before = known == null ? null : known.state;
        outcome = tryPut(told, known, before, before == null ? fresh : before.after(update));
        // Another node has told of the same session meanwhile; the new state is computed again.
      } while (outcome == Outcome.CHANGED_MEANWHILE);
      return outcome == Outcome.DONE;
    }

    @SuppressWarnings("ReferenceEquality") // a state is replaced as a whole
    private Outcome tryPut(
        Told told,
        @Nullable ForeignSession known,
        @Nullable SessionState before,
        SessionState after) {
      return steps.make(
          step -> {
            if (byId.get(told.id()) != known || (known != null && known.state != before)) {
              return Outcome.CHANGED_MEANWHILE;
            }
            return known == null ? add(told, after, step) : change(known, told.hop(), after, step);
          });
    }

    private Outcome add(Told told, SessionState state, Step step) {
      if (isOwn.test(told.id())) {
        return Outcome.DONE;
      }
      int origin = Ids.tagOf(told.id());
      ListPart part = parts.open(origin);
      if (part.get(told.number()) != null) {
        throw new IllegalArgumentException("Another session has this number: " + told);
      }
      SessionRef ref = new SessionRef(origin, told.created(), told.number(), told.id());
      ForeignSession session = new ForeignSession(ref, state, this, told.hop());
      if (!bytes.reserve(state.bytes())) {
        return Outcome.NO_ROOM;
      }
      boolean done = false;
      try {
        byId.put(told.id(), session);
        part.reached(told.number());
        clock.saw(told.created());
        step.changed(session, null, state);
        done = true;
      } finally {
        if (!done) {
          byId.remove(told.id());
          bytes.release(state.bytes());
        }
      }
      return Outcome.DONE;
    }

    @SuppressWarnings("ReferenceEquality") // a state is replaced as a whole
    private Outcome change(ForeignSession session, int hop, SessionState after, Step step) {
      if (!mayTellOf(session, hop)) {
        return Outcome.DONE;
      }
      SessionState before = session.state;
      int more = after.bytes() - before.bytes();
      if (more > 0 && !bytes.reserve(more)) {
        return Outcome.NO_ROOM;
      }
      boolean done = false;
      try {
        session.state = after;
        if (after != before) {
          step.changed(session, before, after);
        }
        done = true;
      } finally {
        if (!done) {
          session.state = before;
        }
        if (done == more < 0) {
          bytes.release(Math.abs(more));
        }
      }
      session.teller = this;
      session.hop = hop;
      return Outcome.DONE;
    }

    /** Returns whether a session belongs to the node that tells of it, as far as is known. */
    private boolean mayTellOf(ForeignSession session, int hop) {
      return session.teller.node == node
          ? order >= session.teller.order && hop >= session.hop
          : hop > session.hop;
    }

    /** Removes a session, if it belongs to the node. */
    void remove(String id) {
      boolean unused =
          steps.make(
              step -> {
                ForeignSession session = byId.get(id);
                if (session != null && mayTellOf(session, session.hop)) {
                  forget(session, step);
                }
                return true;
              });
    }

    /** Drops what the node told before this telling and has not told again: it is complete. */
    Drop dropOlder() {
      return new Drop(node, order);
    }
  }

  private enum Outcome {
    DONE,
    NO_ROOM,
    CHANGED_MEANWHILE
  }

  /** Removes a session. If memory runs out, it is removed all the same. */
  private void forget(ForeignSession session, Step step) {
    session.ref.clear();
    byId.remove(session.ref.id);
    bytes.release(session.state.bytes());
    step.removed(session);
  }

  /**
   * The removal of what a node told before a certain time, in small steps: between two of them
   * others use the directory, and the readers of watches take what they are told.
   */
  final class Drop {

    private final int node;

    /** The telling of which nothing is dropped, nor of any after it. */
    private final long before;

    /** The parts that there are: what is in a part to come is told after this. */
    private final int[] origins;

    private int at;
    private long number;

    private Drop(int node, long before) {
      this.node = node;
      this.before = before;
      ListPart[] others = parts.others();
      origins =
          Arrays.copyOf(
              Arrays.stream(others).mapToInt(part -> part.origin).toArray(), others.length + 1);
      origins[others.length] = parts.own.origin;
    }

    /**
     * Removes some sessions, at most {@value #MAX_DROPPED}. Used by one thread at a time.
     *
     * @return whether there may be more; then the next step must follow
     */
    boolean next() {
      return at < origins.length && steps.make(this::drop);
    }

    private boolean drop(Step step) {
      ListPart part = parts.find(origins[at]);
      long last = part == null ? number : part.last();
      if (part != null && number < last) {
        List<ListEntry> found = new ArrayList<>();
        long upTo = part.index.find(ParsedFilter.ALL, number, last, MAX_DROPPED, found);
        for (ListEntry entry : found) {
          if (entry instanceof ForeignSession session
              && session.teller.node == node
              && session.teller.order < before) {
            forget(session, step);
          }
        }
        // If one has failed, the step is repeated from where it began.
        number = upTo;
      }
      if (number >= last) {
        at++;
        number = 0;
      }
      return at < origins.length;
    }
  }
}
