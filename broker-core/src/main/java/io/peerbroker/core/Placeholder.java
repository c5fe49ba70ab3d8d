package io.peerbroker.core;

/**
 * Keeps the exported package from being empty until its first real type is there, and goes then.
 */
final class Placeholder {
  private Placeholder() {}
}
