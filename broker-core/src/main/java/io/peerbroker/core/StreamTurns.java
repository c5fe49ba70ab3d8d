package io.peerbroker.core;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The order in which a channel's stream polls: one event of the channel, then one of its lists. It
 * also knows which of the polled events were the channel's. Used by the stream's poller only.
 *
 * <p>A list may examine many sessions for its reader and find no event. The channel's queue is
 * looked at after each list. But a transport writes only once it has polled null or enough events,
 * so a message that it holds would still wait while list after list is searched. So what the lists
 * have examined since the last null is counted: if it is as much as one list may examine in a turn,
 * the stream is woken later, and polls null. A message then waits for the search of one list that
 * finds no event, and never for twice as much.
 */
final class StreamTurns {

  /** How many events may be forgotten before their room is used again. */
  private static final int MAX_FORGOTTEN = 1_024;

  private final AbstractAttachment stream;
  private final Outbox outbox;
  private final ChannelWatches lists;
  private final WakeThrottle wakes;

  /** Whether the stream will be woken to go on. Set by the poller, cleared by any thread. */
  private final AtomicBoolean wakeDue = new AtomicBoolean();

  /** Which of the polled events are from lists. */
  private BitSet fromLists = new BitSet();

  /** The first event that was not consumed. */
  private int first;

  /** How many events {@link #fromLists} knows, including those before {@link #first}. */
  private int polled;

  private boolean isListsTurn;

  /** How often the stream has polled since there are lists. */
  private long polls;

  /** How many steps without an event the lists have taken since a poll returned null. */
  private int silent;

  /**
   * @param wakes wakes the stream after it has polled null although there is more
   */
  StreamTurns(AbstractAttachment stream, Outbox outbox, ChannelWatches lists, WakeThrottle wakes) {
    this.stream = stream;
    this.outbox = outbox;
    this.lists = lists;
    this.wakes = wakes;
    // What was polled before there were lists.
    polled = outbox.polledBy(stream);
  }

  @Nullable Envelope poll() {
    // A transport that was asked to end takes the first null for the end of the queue.
    if (isToPause() && !stream.isEnding()) {
      return pause();
    }
    polls++;
    ChannelWatches.Source list = isListsTurn ? lists.next(stream, polls) : null;
    while (true) {
      Envelope envelope = null;
      if (list != null) {
        envelope = list.poll();
        silent += list.silent();
      }
      boolean isList = envelope != null;
      if (envelope == null) {
        envelope = outbox.poll(stream);
      }
      if (envelope != null) {
        fromLists.set(polled++, isList);
        isListsTurn = !isList;
        return envelope;
      }
      if (isToPause()) {
        return pause();
      }
      list = lists.next(stream, polls);
      if (list == null) {
        silent = 0;
        return null;
      }
    }
  }

  private boolean isToPause() {
    return silent >= AbstractAttachment.MAX_SILENT;
  }

  /** Has the stream woken later, and returns null, so that its transport writes what it has. */
  private @Nullable Envelope pause() {
    silent = 0;
    wakes.later(stream::wake, wakeDue);
    return null;
  }

  /** Notes that the oldest events were consumed; returns how many of them were the channel's. */
  int consumed(int events) {
    int last = Math.min(polled, first + events);
    int ofLists = fromLists.get(first, last).cardinality();
    first = last;
    if (first == polled) {
      fromLists.clear();
      first = 0;
      polled = 0;
    } else if (first > MAX_FORGOTTEN) {
      fromLists = fromLists.get(first, polled);
      polled -= first;
      first = 0;
    }
    return events - ofLists;
  }
}
