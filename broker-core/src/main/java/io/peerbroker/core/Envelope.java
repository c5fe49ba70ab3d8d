package io.peerbroker.core;

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

  private final Event event;

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
    this.event = event;
    this.idPrefix = idPrefix;
    this.number = number;
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

  int size() {
    return event.size() + (idPrefix == null ? 0 : idPrefix.length() + Long.BYTES);
  }
}
