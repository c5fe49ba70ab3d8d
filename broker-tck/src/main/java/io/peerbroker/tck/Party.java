package io.peerbroker.tck;

/** The reader of a channel's stream, with the content of its first event. */
public interface Party extends Reader {

  /** The id of its channel. */
  String id();

  /** The key of its channel. */
  String key();
}
