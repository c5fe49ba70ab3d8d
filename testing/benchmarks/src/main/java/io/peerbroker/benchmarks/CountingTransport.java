package io.peerbroker.benchmarks;

import io.peerbroker.core.Attachment;
import io.peerbroker.core.Broker;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Transport;
import io.peerbroker.core.Watch;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A reader of a watch in this JVM that takes events on request, for one thread. */
final class CountingTransport implements Transport {

  private final Attachment attachment;
  private boolean complete;

  private CountingTransport(Attachment attachment) {
    this.attachment = attachment;
  }

  /** A watch and its reader. */
  record Watching(Watch watch, CountingTransport reader) {}

  /** Begins to watch. */
  static Watching watch(Broker broker, TagFilter filter) {
    var opened = new AtomicReference<@Nullable CountingTransport>();
    Watch watch =
        broker
            .gateway()
            .watch(
                filter,
                attachment -> {
                  CountingTransport reader = new CountingTransport(attachment);
                  opened.set(reader);
                  return reader;
                });
    return new Watching(watch, Objects.requireNonNull(opened.get()));
  }

  @Override
  public void ready() {}

  @Override
  public void end(CloseReason reason) {
    attachment.detach(reason);
  }

  /** Takes an event, if there is one. */
  boolean takeOne() {
    Envelope envelope = attachment.poll();
    if (envelope == null) {
      return false;
    }
    attachment.consumed(1);
    complete |= envelope.event() instanceof Event.Ready;
    return true;
  }

  /** Takes all events that there are, and returns their number. */
  long takeAll() {
    long events = 0;
    while (takeOne()) {
      events++;
    }
    return events;
  }

  /** Whether it has received all sessions that were there when it began. */
  boolean isComplete() {
    return complete;
  }
}
