package io.peerbroker.core;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for when it opens a channel.
 *
 * @param resume for how long the channel is to live on when its stream breaks; zero for not at all.
 *     The broker grants at most {@link Limits#maxResume()}
 * @param lease how often the client promises to be heard from at least; zero for no promise. The
 *     broker brings it within {@link Limits#minLease()} and {@link Limits#maxLease()}
 * @param lastEventId the id of the last event that the client has seen of a channel that it wants
 *     to go on with, or null
 */
public record ChannelOptions(Duration resume, Duration lease, @Nullable String lastEventId) {

  private static final ChannelOptions NONE = new ChannelOptions(Duration.ZERO, Duration.ZERO, null);

  /**
   * Checks the times.
   *
   * @throws IllegalArgumentException for a negative one
   */
  public ChannelOptions {
    Objects.requireNonNull(resume, "resume");
    Objects.requireNonNull(lease, "lease");
    if (resume.isNegative() || lease.isNegative()) {
      throw new IllegalArgumentException("resume and lease must not be negative");
    }
  }

  /** A new channel, with nothing asked for: it closes when its stream breaks. */
  public static ChannelOptions none() {
    return NONE;
  }

  /** The same, but to live on for so long when the stream breaks. */
  public ChannelOptions withResume(Duration resume) {
    return new ChannelOptions(resume, lease, lastEventId);
  }

  /** The same, with a promise to be heard from at least so often. */
  public ChannelOptions withLease(Duration lease) {
    return new ChannelOptions(resume, lease, lastEventId);
  }

  /** The same, to go on with the channel that this event came from. */
  public ChannelOptions after(String lastEventId) {
    return new ChannelOptions(resume, lease, lastEventId);
  }

  /** The times alone: an event's id is as good as a key. */
  @Override
  public String toString() {
    return "ChannelOptions[resume="
        + resume
        + ", lease="
        + lease
        + (lastEventId == null ? "]" : ", after an event]");
  }
}
