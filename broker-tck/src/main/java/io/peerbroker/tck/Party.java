package io.peerbroker.tck;

/** The reader of a channel's stream, who knows what the first event said. */
public interface Party extends Reader {

  /** The id of its channel. */
  String id();

  /** The key of its channel. */
  String key();
}
