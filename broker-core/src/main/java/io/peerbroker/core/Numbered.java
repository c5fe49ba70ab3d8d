package io.peerbroker.core;

/** What has a place in an order of creation, by which the index finds it. */
abstract class Numbered {

  /** The place: 1 for the first. */
  final long number;

  Numbered(long number) {
    this.number = number;
  }
}
