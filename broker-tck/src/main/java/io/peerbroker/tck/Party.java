package io.peerbroker.tck;

/** The reader of a channel's stream. */
public interface Party extends Reader {

  /** The id of its channel. */
  String id();
}
