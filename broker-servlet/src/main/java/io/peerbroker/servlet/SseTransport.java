package io.peerbroker.servlet;

import io.peerbroker.core.Attachment;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Timer;
import io.peerbroker.core.Transport;
import jakarta.servlet.AsyncContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A stream of server-sent events: it carries an attachment's events to the client, and keeps the
 * stream alive.
 *
 * <p>One scheduled task belongs to each: it sends the heartbeat after a silence and gives up a
 * reader that takes nothing. Threads as in {@link StreamWriter}, whose owner polls.
 */
final class SseTransport implements Transport, StreamWriter.Source {

  /** Events are joined up to this size into one write. */
  private static final int BATCH_BYTES = 8 << 10;

  /** One instance, since an envelope remembers bytes by their encoder. */
  private static final Function<Envelope, byte[]> ENCODER = SseEncoder::event;

  private final Attachment attachment;
  private final HttpSettings settings;

  /** Whether heartbeats are events. */
  private final boolean visible;

  private final Duration drainTimeout;
  private final Timer timer;
  private final Set<SseTransport> open;
  private final ResponseTimeout task;
  private final AsyncResponse response;
  private final StreamWriter writer;

  /** The writer for other threads than the container's; null if they write themselves. */
  private final @Nullable ConnectionWriter connectionWriter;

  private final ConnectionWriters connections;

  private volatile @Nullable CloseReason ending;

  /** Whether the silence has reached its bound. */
  private volatile boolean heartbeatDue;

  private volatile long lastGiven;

  // Used by the writer's owner only.
  private int eventsGiven;
  private boolean farewellGiven;

  /**
   * Whether the first bytes have been given: they go out at once, even without an event for a
   * client that has come back and missed nothing; otherwise the headers would wait for the first
   * heartbeat.
   */
  private boolean begun;

  /** Whether the beginning of the stream has been flushed. */
  private boolean opened;

  private boolean commentDue;

  private SseTransport(
      Attachment attachment,
      HttpSettings settings,
      boolean visible,
      Duration drainTimeout,
      Timer timer,
      Set<SseTransport> open,
      ConnectionWriters connections,
      AsyncContext async)
      throws IOException {
    this.attachment = attachment;
    this.settings = settings;
    this.visible = visible;
    this.drainTimeout = drainTimeout;
    this.timer = timer;
    this.open = open;
    response = new AsyncResponse(async, this, timer);
    task = response.timeout;
    writer = response.writer;
    this.connections = connections;
    connectionWriter = response.mayBlock() ? connections.join(async.getRequest()) : null;
    lastGiven = timer.nanoTime();
  }

  /**
   * Begins a stream on a response whose headers are set.
   *
   * @param visible whether its heartbeats are events
   * @param open the place in which it is registered while its response is open
   * @param connections the place in which its connection is registered for that time, if writes to
   *     it may block
   */
  static SseTransport begin(
      Attachment attachment,
      HttpSettings settings,
      boolean visible,
      Duration drainTimeout,
      Timer timer,
      Set<SseTransport> open,
      ConnectionWriters connections,
      AsyncContext async)
      throws IOException {
    SseTransport stream =
        new SseTransport(
            attachment, settings, visible, drainTimeout, timer, open, connections, async);
    open.add(stream);
    boolean started = false;
    try {
      stream.tick();
      stream.response.start();
      started = true;
    } finally {
      if (!started) {
        stream.closed();
      }
    }
    return stream;
  }

  @Override
  public void ready() {
    wake();
  }

  @Override
  public void end(CloseReason reason) {
    ending = reason;
    task.drain(drainTimeout, this::abandon);
    wake();
  }

  /** Starts the writing of pending events: on this thread, or, if that may block, on another. */
  private void wake() {
    if (connectionWriter == null) {
      writer.drain();
    } else {
      connectionWriter.wake(writer);
    }
  }

  /**
   * Gives the reader up. A stream that waits behind another may have room of its own: if it were
   * completed at once, Tomcat would park a thread of its pool behind that one.
   */
  private void abandon() {
    writer.letGo();
    wake();
  }

  /**
   * Returns for how long the reader has taken nothing, itself or others before it on its
   * connection.
   */
  private long blockedNanos() {
    long blocked = writer.blockedNanos();
    return connectionWriter == null
        ? blocked
        : Math.max(blocked, connectionWriter.waitedNanos(writer));
  }

  /** Ends the response in any state. */
  void abort() {
    writer.abort();
  }

  @Override
  public byte @Nullable [] next() {
    if (!begun) {
      begun = true;
      return SseEncoder.beginning(settings.retry());
    }
    // Read before the queue: once the broker has ended the stream, it queues nothing more.
    CloseReason reason = ending;
    byte[] bytes = nextBatch();
    if (bytes == null) {
      if (reason != null) {
        bytes =
            farewellGiven || !reason.isTold()
                ? null
                : SseEncoder.farewell(reason, settings.retry());
        farewellGiven = true;
      } else if (heartbeatDue && visible) {
        bytes = SseEncoder.visibleHeartbeat();
      } else if (heartbeatDue || commentDue) {
        bytes = SseEncoder.comment();
      }
    }
    if (bytes != null) {
      heartbeatDue = false;
      commentDue = false;
      lastGiven = timer.nanoTime();
    }
    return bytes;
  }

  private byte @Nullable [] nextBatch() {
    Envelope first = attachment.poll();
    if (first == null) {
      return null;
    }
    eventsGiven++;
    byte[] bytes = encoded(first);
    if (bytes.length >= BATCH_BYTES) {
      return bytes;
    }
    Envelope next = attachment.poll();
    if (next == null) {
      return bytes;
    }
    ByteArrayOutputStream batch = new ByteArrayOutputStream(BATCH_BYTES);
    batch.writeBytes(bytes);
    while (next != null) {
      eventsGiven++;
      batch.writeBytes(encoded(next));
      next = batch.size() < BATCH_BYTES ? attachment.poll() : null;
    }
    return batch.toByteArray();
  }

  private byte[] encoded(Envelope envelope) {
    Event event = envelope.event();
    if (event instanceof Event.Watched watched) {
      return SseEncoder.ofWatch(watched.watch(), watched.shared().encoded(ENCODER));
    }
    // No other stream gets these two, and only a client that came back gets one of them twice.
    return event instanceof Event.Opened || event instanceof Event.Ready
        ? SseEncoder.event(event, envelope.id(), settings.heartbeat())
        : envelope.encoded(ENCODER);
  }

  @Override
  public void taken() {
    if (eventsGiven > 0) {
      attachment.consumed(eventsGiven);
      eventsGiven = 0;
    }
  }

  /**
   * Sends a comment after the beginning of the stream, with a write and a flush of its own: Open
   * Liberty holds back the first flush, including the headers, and Jetty the end of a chunk, for
   * which Varnish waits, until there is another.
   */
  @Override
  public void flushed() {
    if (!opened) {
      opened = true;
      commentDue = true;
    }
  }

  /** A thread of the container's, too, leaves the rest to the connection's thread. */
  @Override
  public boolean givesWay() {
    return connectionWriter != null && connectionWriter.giveWay(writer);
  }

  @Override
  public boolean isFinished() {
    return farewellGiven;
  }

  @Override
  public void ended(StreamWriter.End end) {
    if (end == StreamWriter.End.ABANDONED) {
      response.endAtLast(writer::abort);
      attachment.detach(CloseReason.STALLED);
    } else {
      attachment.detach(CloseReason.GONE);
    }
  }

  @Override
  public void closed() {
    task.cancel();
    if (open.remove(this) && connectionWriter != null) {
      connectionWriter.forget(writer);
      connections.leave(connectionWriter);
    }
  }

  /**
   * Checks the stream, and schedules the next check before anything is written, since a container
   * may keep the thread that writes.
   */
  private void tick() {
    long heartbeat = settings.heartbeat().toNanos();
    long left = task.nanosLeft(blockedNanos(), settings.writeTimeout());
    if (left <= 0) {
      abandon();
      return;
    }
    long silence = timer.nanoTime() - lastGiven;
    boolean due = silence >= heartbeat;
    long next = Math.min(due ? heartbeat : heartbeat - silence, left);
    // Once it must end, another task looks after it.
    task.watch(Duration.ofNanos(next), this::tick);
    if (due) {
      heartbeatDue = true;
      wake();
    }
  }
}
