package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way to one or many streams, encoded once for all of them.
 *
 * <p>Safe for use by many threads.
 */
public final class Envelope {

  /** The bytes and who made them, in one object, so that they are seen together. */
  private static final class Encoding {
    final Function<? super Envelope, byte[]> encoder;
    final byte[] bytes;

    Encoding(Function<? super Envelope, byte[]> encoder, byte[] bytes) {
      this.encoder = encoder;
      this.bytes = bytes;
    }
  }

  private static final AtomicIntegerFieldUpdater<Envelope> HOLDERS =
      AtomicIntegerFieldUpdater.newUpdater(Envelope.class, "holders");

  private final Event event;
  private final int size;

  /** In how many logs of changes it waits. */
  @SuppressWarnings("UnusedVariable") // by the updater
  private volatile int holders;

  /** What its id begins with; the whole would be made for most events in vain, and kept. */
  private final @Nullable String idPrefix;

  private final long number;
  private volatile @Nullable Encoding encoding;

  /** An event that cannot be resumed from. */
  Envelope(Event event) {
    this(event, null, 0);
  }

  /** An event that has an id, unless its beginning is null. */
  Envelope(Event event, @Nullable String idPrefix, long number) {
    this(event, event.size(), idPrefix, number);
  }

  private Envelope(Event event, int eventSize, @Nullable String idPrefix, long number) {
    this.event = event;
    this.idPrefix = idPrefix;
    this.number = number;
    size = eventSize + (idPrefix == null ? 0 : idPrefix.length() + Long.BYTES);
  }

  /** A session as it is shown, whose size is known. */
  static Envelope added(ListedSession session, int size) {
    return new Envelope(new Event.Added(session), Event.Added.BYTES + size, null, 0);
  }

  static Envelope removed(String sid) {
    return new Envelope(new Event.Removed(sid));
  }

  /** What is in it. */
  public Event event() {
    return event;
  }

  /**
   * What a client presents to go on after this event, or null on a channel that cannot be resumed.
   * As good as a key for whoever knows it, so it must not be logged.
   */
  public @Nullable String id() {
    return idPrefix == null ? null : idPrefix + number;
  }

  /**
   * The envelope in an encoder's form. The bytes are remembered for the next who asks with the same
   * encoder, so they must not be changed; two threads that ask at once may both encode.
   */
  public byte[] encoded(Function<? super Envelope, byte[]> encoder) {
    Encoding known = encoding;
    if (known == null || known.encoder != encoder) {
      known = new Encoding(encoder, encoder.apply(this));
      encoding = known;
    }
    return known.bytes;
  }

  /** Lets go of the bytes; whoever asks again has them made again. */
  void forgetEncoding() {
    encoding = null;
  }

  /** About how many bytes it takes while it waits: computed once, not each time it is asked. */
  int size() {
    return size;
  }

  /** Notes that one more log holds it; true if it is the first. */
  boolean hold() {
    return HOLDERS.getAndIncrement(this) == 0;
  }

  /** Notes that a log holds it no more; true if it was the last. */
  boolean letGo() {
    return HOLDERS.decrementAndGet(this) == 0;
  }
}
