package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An event among {@link QueuedEvents}, whose lock guards what changes. */
final class QueuedEvent {

  final Envelope envelope;

  /** How many bytes count against the bounds. */
  final int size;

  final long number;

  /**
   * The answer to the sender; null if a reader was attached, or the network has taken the message
   * since.
   */
  Outbox.@Nullable Receipt receipt;

  /** The event that was added after this one; null for the last one. */
  @Nullable QueuedEvent next;

  QueuedEvent(Event event, @Nullable String idPrefix, long number) {
    envelope = new Envelope(event, idPrefix, number);
    // A channel's first event is covered by its permit.
    size = event instanceof Event.Opened ? 0 : envelope.size();
    this.number = number;
  }

  /**
   * Drops the receipt: the sender no longer needs a notice, and the message counts against no
   * share.
   */
  void settle() {
    Outbox.Receipt settled = receipt;
    receipt = null;
    if (settled != null && settled.sender() != null) {
      settled.sender().releaseWaiting(size);
    }
  }

  /** Adds it to the dropped messages whose senders must be notified, if it has a receipt. */
  void leave(List<Outbox.QueuedMessage> leftovers) {
    Outbox.Receipt given = receipt;
    if (given != null && envelope.event() instanceof Event.Received received) {
      leftovers.add(new Outbox.QueuedMessage(received.message(), given.id()));
      settle();
    }
  }

  /** Returns what is left of it if it leaves its broker. */
  ChannelState.NumberedEvent state() {
    Outbox.Receipt given = receipt;
    return new ChannelState.NumberedEvent(
        envelope.event(), number, given == null ? null : given.id());
  }
}
