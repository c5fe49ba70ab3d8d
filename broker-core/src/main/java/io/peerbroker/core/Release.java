package io.peerbroker.core;

/** The result of an attempt to take a channel out of its broker: {@link ChannelMoves#release}. */
sealed interface Release {

  /** The channel has left its broker, and this is all of it. */
  record Done(ChannelState state) implements Release {}

  /** Why the channel stays as it is: nothing has happened. */
  enum Refused implements Release {
    /** The broker has no such channel; it may have closed, or left before. */
    UNKNOWN,
    /** The channel cannot be resumed, like all that are read in this JVM. */
    NOT_RESUMABLE,
    /** The secret is not the channel's. */
    WRONG_SECRET,
    /** Some events after the given one are no longer kept: continuing would leave a gap. */
    TOO_OLD,
    /** No such event was ever sent. */
    NEVER_GIVEN
  }
}
