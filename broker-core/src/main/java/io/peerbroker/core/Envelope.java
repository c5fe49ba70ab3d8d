package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way to one or more streams, encoded once for all of them.
 *
 * <p>Safe for use by many threads.
 */
public final class Envelope {

  /**
   * The bytes and the encoder that made them, in one object, so that they are published together.
   */
  private static final class Encoding {
    final Function<? super Envelope, byte[]> encoder;
    final byte[] bytes;

    /** The bytes of the encoder that was used before, for readers of two transports. */
    final @Nullable Encoding before;

    Encoding(Function<? super Envelope, byte[]> encoder, byte[] bytes, @Nullable Encoding before) {
      this.encoder = encoder;
      this.bytes = bytes;
      this.before = before;
    }
  }

  private static final AtomicIntegerFieldUpdater<Envelope> HOLDERS =
      AtomicIntegerFieldUpdater.newUpdater(Envelope.class, "holders");

  private final Event event;
  private final int size;

  /** How many change logs hold it. */
  @SuppressWarnings("UnusedVariable") // by the updater
  private volatile int holders;

  /**
   * The prefix of its id. Most events never need the whole id, which would be built and kept in
   * vain.
   */
  private final @Nullable String idPrefix;

  private final long number;
  private volatile @Nullable Encoding encoding;

  /** Wraps an event that cannot be resumed from. */
  Envelope(Event event) {
    this(event, null, 0);
  }

  /** Wraps an event that has an id, unless the prefix is null. */
  Envelope(Event event, @Nullable String idPrefix, long number) {
    this(event, event.size(), idPrefix, number);
  }

  private Envelope(Event event, int eventSize, @Nullable String idPrefix, long number) {
    this.event = event;
    this.idPrefix = idPrefix;
    this.number = number;
    size = eventSize + (idPrefix == null ? 0 : idPrefix.length() + Long.BYTES);
  }

  /** Wraps a session as it is listed, whose size is known. */
  static Envelope added(ListedSession session, int size) {
    return new Envelope(new Event.Added(session), Event.Added.BYTES + size, null, 0);
  }

  static Envelope removed(String sid) {
    return new Envelope(new Event.Removed(sid));
  }

  /** Returns the event. */
  public Event event() {
    return event;
  }

  /**
   * Returns the id that a client presents to continue after this event, or null on a channel that
   * cannot be resumed. It is as good as a key and must not be logged.
   */
  public @Nullable String id() {
    return idPrefix == null ? null : idPrefix + number;
  }

  /**
   * Returns the event as an encoder writes it, framing and all, so that it costs no copy for each
   * stream. The bytes of the last two encoders are kept for further calls, so they must not be
   * changed. Two concurrent calls may both encode.
   */
  public byte[] encoded(Function<? super Envelope, byte[]> encoder) {
    Encoding last = encoding;
    for (Encoding known = last; known != null; known = known.before) {
      if (known.encoder == encoder) {
        return known.bytes;
      }
    }
    byte[] bytes = encoder.apply(this);
    Encoding before = last == null ? null : new Encoding(last.encoder, last.bytes, null);
    encoding = new Encoding(encoder, bytes, before);
    return bytes;
  }

  /** Drops the bytes; the next call encodes again. */
  void forgetEncoding() {
    encoding = null;
  }

  /** Returns the approximate bytes that it takes while it waits; computed once. */
  int size() {
    return size;
  }

  /** Notes that one more log holds it; returns whether it is the first. */
  boolean hold() {
    return HOLDERS.getAndIncrement(this) == 0;
  }

  /** Notes that a log no longer holds it; returns whether it was the last. */
  boolean letGo() {
    return HOLDERS.decrementAndGet(this) == 0;
  }
}
