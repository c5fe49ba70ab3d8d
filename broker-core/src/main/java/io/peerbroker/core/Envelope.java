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
    final Function<? super Event, byte[]> encoder;
    final byte[] bytes;

    Encoding(Function<? super Event, byte[]> encoder, byte[] bytes) {
      this.encoder = encoder;
      this.bytes = bytes;
    }
  }

  private final Event event;
  private volatile @Nullable Encoding encoding;

  Envelope(Event event) {
    this.event = event;
  }

  /** What is in it. */
  public Event event() {
    return event;
  }

  /**
   * The event in an encoder's form. The bytes are remembered for the next who asks with the same
   * encoder, so they must not be changed; two threads that ask at once may both encode.
   */
  public byte[] encoded(Function<? super Event, byte[]> encoder) {
    Encoding known = encoding;
    if (known == null || known.encoder != encoder) {
      known = new Encoding(encoder, encoder.apply(event));
      encoding = known;
    }
    return known.bytes;
  }

  int size() {
    return event.size();
  }
}
