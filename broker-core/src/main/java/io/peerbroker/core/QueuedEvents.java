package io.peerbroker.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The events of one {@link Outbox}: one list of numbered events with four pointers into it, and
 * what they count against the bounds.
 *
 * <pre>
 *   oldest ........ untaken ........ next ........ newest
 *   |  kept for replay  |  polled      |  waiting      |
 * </pre>
 *
 * <p>It has no lock of its own: the outbox's guards all of it.
 */
final class QueuedEvents {

  private final Limits limits;
  private final ByteBudget budget;
  private final ByteBudget replay;

  /** The prefix of the events' ids, or null if the channel cannot be resumed. */
  private final @Nullable String idPrefix;

  /** The first event that is still here: kept for replay, on its way, or waiting. */
  private @Nullable QueuedEvent oldest;

  /** The first event that the network has not taken. */
  private @Nullable QueuedEvent untaken;

  /** The first event that has not been polled. */
  private @Nullable QueuedEvent next;

  /** The last event that was added and is still here. */
  private @Nullable QueuedEvent newest;

  /** The number of the last event that was added. */
  private long lastNumber;

  /** The highest number that was ever polled. */
  private long lastGiven;

  /**
   * The number of the last event that the network has taken, on the current stream or an earlier
   * one.
   */
  private long lastConsumed;

  /** The number of the last event that the reader has confirmed; all, where nothing is kept. */
  private long confirmed;

  /**
   * The time since which the reader is behind: when the network took the first unconfirmed event,
   * or when the last confirmation came, whichever was later.
   */
  private long behindSince;

  /** The last event that is no longer kept, confirmed or not. */
  private long lastDropped;

  /** How many events the network has not taken. */
  private int events;

  /** How many bytes they have. */
  private long bytes;

  /** How many events are kept for replay. */
  private int keptEvents;

  /** How many bytes these have. */
  private long keptBytes;

  /**
   * The last event that counts against the replay budget. It still counts there while it waits
   * again; otherwise a reader that comes back often would make all channels together exceed it.
   */
  private long lastInReplay;

  /** How many bytes count against the replay budget. */
  private long inReplay;

  QueuedEvents(Limits limits, ByteBudget budget, ByteBudget replay, @Nullable String idPrefix) {
    this.limits = limits;
    this.budget = budget;
    this.replay = replay;
    this.idPrefix = idPrefix;
    // Without resuming, an event is done with once the network has taken it.
    confirmed = idPrefix == null ? Long.MAX_VALUE : 0;
  }

  /** Creates the event that may be added next. */
  QueuedEvent create(Event event) {
    return new QueuedEvent(event, idPrefix, lastNumber + 1);
  }

  /**
   * Returns whether an event is within the bounds of this queue. An empty one accepts any;
   * otherwise a bound below a message's size would starve its reader for ever.
   */
  boolean hasRoom(int size, long maxBytes) {
    return events == 0 || (events < limits.maxQueuedEvents() && bytes + size <= maxBytes);
  }

  /** Reserves bytes in the budget of all queues, for an event that is added next. */
  boolean reserve(int size) {
    return budget.reserve(size, bytes);
  }

  /** Adds an event whose bytes have been reserved. */
  void append(QueuedEvent node) {
    lastNumber = node.number;
    if (newest == null) {
      oldest = node;
    } else {
      newest.next = node;
    }
    newest = node;
    untaken = untaken == null ? node : untaken;
    next = next == null ? node : next;
    events++;
    bytes += node.size;
  }

  @Nullable Envelope poll() {
    QueuedEvent polled = next;
    if (polled == null) {
      return null;
    }
    next = polled.next;
    lastGiven = Math.max(lastGiven, polled.number);
    return polled.envelope;
  }

  /** Returns how many events have been polled that the network has not taken. */
  int polled() {
    int polled = 0;
    for (QueuedEvent node = untaken; node != null && node != next; node = node.next) {
      polled++;
    }
    return polled;
  }

  /** Notes that the network has taken the oldest of the polled events. */
  void consumed(int count, long now) {
    if (lastConsumed <= confirmed) {
      behindSince = now;
    }
    for (int i = 0; i < count; i++) {
      QueuedEvent node = untaken;
      if (node == null || node == next) {
        throw new IllegalStateException("More events consumed than polled");
      }
      untaken = node.next;
      lastConsumed = node.number;
      events--;
      bytes -= node.size;
      node.settle();
      node.envelope.forgetEncoding();
      keep(node);
    }
  }

  /**
   * Keeps an event that the network has taken for replay, as far as the bounds permit: the oldest
   * ones give way.
   */
  private void keep(QueuedEvent taken) {
    boolean kept = taken.number > confirmed && mayKeep(taken);
    while (!kept && keptEvents > 0) {
      dropOldestKept();
      kept = mayKeep(taken);
    }
    if (!kept) {
      removeOldest(taken);
      return;
    }
    keptEvents++;
    keptBytes += taken.size;
    if (taken.number > lastInReplay) {
      lastInReplay = taken.number;
      inReplay += taken.size;
      budget.release(taken.size);
    }
  }

  private boolean mayKeep(QueuedEvent taken) {
    return keptEvents < limits.maxReplayEvents()
        && keptBytes + taken.size <= limits.maxReplayBytes()
        && (taken.number <= lastInReplay || replay.reserve(taken.size, inReplay));
  }

  /** Notes that the reader has seen all events up to one; returns whether it was ever sent. */
  boolean confirm(long number, long now) {
    if (number > lastGiven) {
      return false;
    }
    if (number > confirmed) {
      confirmed = number;
      behindSince = now;
      while (oldest != null && keptEvents > 0 && oldest.number <= confirmed) {
        dropOldestKept();
      }
    }
    return true;
  }

  /**
   * Returns whether the reader has confirmed nothing for longer than a time although the network
   * has taken events for it.
   */
  boolean isBehind(Duration patience, long now) {
    return lastConsumed > confirmed && now - behindSince > patience.toNanos();
  }

  /** Returns the id of the last event that the network has taken, or null if there is none. */
  @Nullable String lastConsumedId() {
    return idPrefix == null || lastConsumed == 0 ? null : idPrefix + lastConsumed;
  }

  private void dropOldestKept() {
    QueuedEvent node = oldest;
    if (node == null) {
      throw new IllegalStateException("Nothing is kept");
    }
    removeOldest(node);
    keptEvents--;
    keptBytes -= node.size;
  }

  private void removeOldest(QueuedEvent node) {
    oldest = node.next;
    if (oldest == null) {
      newest = null;
    }
    lastDropped = node.number;
    if (node.number <= lastInReplay) {
      inReplay -= node.size;
      replay.release(node.size);
    } else {
      budget.release(node.size);
    }
  }

  /**
   * Returns whether a reader that has seen events up to one can continue without a gap; never
   * {@link Outbox.AttachResult#CLOSED}.
   */
  Outbox.AttachResult continueAfter(long seen) {
    if (seen > lastGiven) {
      return Outbox.AttachResult.NEVER_GIVEN;
    }
    return seen < lastDropped ? Outbox.AttachResult.TOO_OLD : Outbox.AttachResult.DONE;
  }

  /** Goes back to the first event after one: all events wait again, except those up to it. */
  void goBack(long seen) {
    events += keptEvents;
    bytes += keptBytes;
    keptEvents = 0;
    keptBytes = 0;
    while (oldest != null && oldest.number <= seen) {
      oldest.settle();
      events--;
      bytes -= oldest.size;
      removeOldest(oldest);
    }
    untaken = oldest;
    next = oldest;
    lastConsumed = seen;
    confirmed = Math.max(confirmed, seen);
  }

  /** Returns how many bytes {@link #letGo} would drop. */
  long bytesToLetGo() {
    long waiting = 0;
    for (QueuedEvent node = next; node != null; node = node.next) {
      waiting += mayBeLetGo(node) ? node.size : 0;
    }
    return waiting;
  }

  /** Returns whether its sender has a receipt and no reader can have seen it. */
  private boolean mayBeLetGo(QueuedEvent node) {
    return node.receipt != null && node.number > lastGiven;
  }

  /**
   * Drops the messages whose senders have receipts and that no reader can have seen.
   *
   * @return the messages, whose senders must be notified
   */
  List<Outbox.QueuedMessage> letGo() {
    List<Outbox.QueuedMessage> leftovers = new ArrayList<>(0);
    QueuedEvent last = null;
    QueuedEvent first = null;
    for (QueuedEvent node = oldest; node != null; node = node.next) {
      if (mayBeLetGo(node)) {
        node.leave(leftovers);
        events--;
        bytes -= node.size;
        budget.release(node.size);
        untaken = untaken == node ? node.next : untaken;
        next = next == node ? node.next : next;
      } else {
        if (last == null) {
          first = node;
        } else {
          last.next = node;
        }
        last = node;
      }
    }
    if (last != null) {
      last.next = null;
    }
    oldest = first;
    newest = last;
    return leftovers;
  }

  /**
   * Drops everything.
   *
   * @return the messages whose senders have receipts and that the network has not taken
   */
  List<Outbox.QueuedMessage> discard() {
    List<Outbox.QueuedMessage> leftovers = new ArrayList<>(0);
    for (QueuedEvent node = untaken; node != null; node = node.next) {
      node.leave(leftovers);
    }
    clear();
    return leftovers;
  }

  /** Drops everything without a notice to anybody. */
  void clear() {
    for (QueuedEvent node = untaken; node != null; node = node.next) {
      node.settle();
    }
    oldest = null;
    untaken = null;
    next = null;
    newest = null;
    budget.release(bytes + keptBytes - inReplay);
    replay.release(inReplay);
    inReplay = 0;
    events = 0;
    bytes = 0;
    keptEvents = 0;
    keptBytes = 0;
  }

  /**
   * Returns what a queue needs that is continued elsewhere by a reader that has seen the events up
   * to one. Changes nothing.
   */
  ChannelState.Queue state(long seen) {
    List<ChannelState.NumberedEvent> unseen = new ArrayList<>();
    long dropped = lastDropped;
    for (QueuedEvent node = oldest; node != null; node = node.next) {
      if (node.number > seen) {
        unseen.add(node.state());
      } else {
        dropped = node.number;
      }
    }
    return new ChannelState.Queue(
        seen,
        lastNumber,
        lastGiven,
        Math.max(lastConsumed, seen),
        Math.max(confirmed, seen),
        dropped,
        lastInReplay,
        unseen);
  }

  /**
   * Fills this queue, which is new, with what another one had.
   *
   * @return whether there is room; if not, nothing has changed
   */
  boolean fill(ChannelState.Queue from) {
    for (ChannelState.NumberedEvent each : from.events()) {
      QueuedEvent node = new QueuedEvent(each.event(), idPrefix, each.number());
      // The sender's share is counted by the broker that has accepted the message.
      node.receipt = each.receipt() == null ? null : new Outbox.Receipt(each.receipt(), null);
      if (!reserveAgain(node, from)) {
        clear();
        return false;
      }
      append(node);
      if (node.number <= from.lastConsumed()) {
        // It is kept, as consumed() leaves it.
        untaken = null;
        next = null;
        events--;
        bytes -= node.size;
        keptEvents++;
        keptBytes += node.size;
      }
    }
    lastNumber = from.lastNumber();
    lastGiven = from.lastGiven();
    lastConsumed = from.lastConsumed();
    confirmed = from.confirmed();
    lastDropped = from.lastDropped();
    lastInReplay = from.lastInReplay();
    return true;
  }

  /** Reserves bytes in the budget against which the event counted before. */
  private boolean reserveAgain(QueuedEvent node, ChannelState.Queue from) {
    if (node.number > from.lastInReplay()) {
      return budget.reserve(node.size, bytes + keptBytes - inReplay);
    }
    if (!replay.reserve(node.size, inReplay)) {
      return false;
    }
    inReplay += node.size;
    return true;
  }
}
