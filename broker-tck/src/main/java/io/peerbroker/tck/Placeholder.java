package io.peerbroker.tck;

/** Keeps this package from being empty until its first public type is there, and goes then. */
public final class Placeholder {
  private Placeholder() {}
}
