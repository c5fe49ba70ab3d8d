package io.peerbroker.core;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The order in which a channel's stream polls: one event of the channel, then one of its lists. It
 * also knows which of the polled events were the channel's. Used by the stream's poller only.
 *
 * <p>A list may examine many sessions for its reader and find no event. The channel's queue is
 * looked at after each list, so a message never waits for more than one of them.
 */
final class StreamTurns {

  /** How many events may be forgotten before their room is used again. */
  private static final int MAX_FORGOTTEN = 1_024;

  private final AbstractAttachment stream;
  private final Outbox outbox;
  private final ChannelWatches lists;

  /** Which of the polled events are from lists. */
  private BitSet fromLists = new BitSet();

  /** The first event that was not consumed. */
  private int first;

  /** How many events {@link #fromLists} knows, including those before {@link #first}. */
  private int polled;

  private boolean isListsTurn;

  /** How often the stream has polled since there are lists. */
  private long polls;

  StreamTurns(AbstractAttachment stream, Outbox outbox, ChannelWatches lists) {
    this.stream = stream;
    this.outbox = outbox;
    this.lists = lists;
    // What was polled before there were lists.
    polled = outbox.polledBy(stream);
  }

  @Nullable Envelope poll() {
    polls++;
    ChannelWatches.Source list = isListsTurn ? lists.next(stream, polls) : null;
    while (true) {
      Envelope envelope = list == null ? null : list.poll();
      boolean isList = envelope != null;
      if (envelope == null) {
        envelope = outbox.poll(stream);
      }
      if (envelope != null) {
        fromLists.set(polled++, isList);
        isListsTurn = !isList;
        return envelope;
      }
      list = lists.next(stream, polls);
      if (list == null) {
        return null;
      }
    }
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
