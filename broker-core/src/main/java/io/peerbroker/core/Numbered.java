package io.peerbroker.core;

/** An object with a position in the order of creation, by which the index finds it. */
abstract class Numbered {

  /** Returns the position: 1 for the first. */
  final long number;

  Numbered(long number) {
    this.number = number;
  }
}
