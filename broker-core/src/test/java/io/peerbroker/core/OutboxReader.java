package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/** The plainest owner of an outbox: it polls, and that is all. */
final class OutboxReader implements Attachment {

  private final Outbox outbox;

  OutboxReader(Outbox outbox) {
    this.outbox = outbox;
  }

  /** The limits of an outbox, all others being the defaults. */
  static Limits limits(int queuedEvents, int queuedBytes, int replayEvents, int replayBytes) {
    return Broker.builder()
        .maxQueuedEvents(queuedEvents)
        .maxQueuedBytes(queuedBytes)
        .maxReplayEvents(replayEvents)
        .maxReplayBytes(replayBytes)
        .build()
        .limits();
  }

  /** Attaches to an outbox as its first owner. */
  static OutboxReader attachedTo(Outbox outbox) {
    OutboxReader reader = new OutboxReader(outbox);
    if (reader.attach(0) != Outbox.AttachResult.DONE) {
      throw new IllegalStateException();
    }
    return reader;
  }

  Outbox.AttachResult attach(long seen) {
    return outbox.attach(this, seen);
  }

  @Override
  public @Nullable Envelope poll() {
    return outbox.poll(this);
  }

  @Override
  public void consumed(int events) {
    outbox.consumed(this, events, 0);
  }

  @Override
  public void detach(CloseReason reason) {
    outbox.detach(this);
  }
}
