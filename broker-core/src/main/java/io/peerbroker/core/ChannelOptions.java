package io.peerbroker.core;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for when it opens a channel.
 *
 * <p>Start from {@link #none()}. Immutable; two are equal when all their options are. Later
 * versions add options.
 */
public final class ChannelOptions {

  private static final ChannelOptions NONE = new ChannelOptions(Duration.ZERO, Duration.ZERO, null);

  private final Duration resume;
  private final Duration lease;
  private final @Nullable String lastEventId;

  private ChannelOptions(Duration resume, Duration lease, @Nullable String lastEventId) {
    this.resume = requireNotNegative("resume", resume);
    this.lease = requireNotNegative("lease", lease);
    this.lastEventId = lastEventId;
  }

  private static Duration requireNotNegative(String name, Duration time) {
    Objects.requireNonNull(time, name);
    if (time.isNegative()) {
      throw new IllegalArgumentException(name + " must not be negative: " + time);
    }
    return time;
  }

  /** Returns the options of a new channel that closes when its stream breaks. */
  public static ChannelOptions none() {
    return NONE;
  }

  /**
   * Returns these options for a channel that survives the loss of its stream for this long.
   *
   * @param resume zero for not at all; the broker grants at most {@link Limits#maxResume()}
   * @throws IllegalArgumentException for a negative time
   */
  public ChannelOptions withResume(Duration resume) {
    return new ChannelOptions(resume, lease, lastEventId);
  }

  /**
   * Returns these options with a lease: the client promises to be heard from at least this often.
   *
   * @param lease zero for no lease; the broker adjusts it to between {@link Limits#minLease()} and
   *     {@link Limits#maxLease()}
   * @throws IllegalArgumentException for a negative time
   */
  public ChannelOptions withLease(Duration lease) {
    return new ChannelOptions(resume, lease, lastEventId);
  }

  /**
   * Returns these options for continuing the channel that an event came from.
   *
   * @param lastEventId the id of the last event that the client has seen
   */
  public ChannelOptions after(String lastEventId) {
    return new ChannelOptions(resume, lease, Objects.requireNonNull(lastEventId, "lastEventId"));
  }

  /**
   * Returns for how long the channel should survive the loss of its stream; zero for not at all.
   */
  public Duration resume() {
    return resume;
  }

  /** Returns how often the client promises to be heard from at least; zero for no lease. */
  public Duration lease() {
    return lease;
  }

  /**
   * Returns the id of the last event that the client has seen, if it continues a channel; null for
   * a new channel. The id is as good as a key and must not be logged.
   */
  public @Nullable String lastEventId() {
    return lastEventId;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ChannelOptions options
        && resume.equals(options.resume)
        && lease.equals(options.lease)
        && Objects.equals(lastEventId, options.lastEventId);
  }

  @Override
  public int hashCode() {
    return Objects.hash(resume, lease, lastEventId);
  }

  /** Shows only the times: an event's id is as good as a key. */
  @Override
  public String toString() {
    return "ChannelOptions[resume="
        + resume
        + ", lease="
        + lease
        + (lastEventId == null ? "]" : ", after an event]");
  }
}
