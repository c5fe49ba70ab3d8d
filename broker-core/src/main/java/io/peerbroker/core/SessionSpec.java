package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/**
 * The properties of a session to create.
 *
 * @param tags trimmed, without duplicates, in the order given; unmodifiable
 * @param isListed whether lists show it
 * @param metadata any JSON value, shown to others as it arrived
 */
public record SessionSpec(List<String> tags, boolean isListed, Json metadata) {

  /**
   * Checks and trims the tags: at most 64 code points each, not empty, no control character, no
   * comma, no {@code !} at the start.
   *
   * @throws RefusedException {@code invalid_tag}; the detail says which one and why
   */
  public SessionSpec {
    Objects.requireNonNull(tags, "tags");
    tags = Tags.normalize(tags);
    Objects.requireNonNull(metadata, "metadata");
  }

  /** Returns a listed session with these tags. */
  public static SessionSpec listed(String... tags) {
    Objects.requireNonNull(tags, "tags");
    return new SessionSpec(List.of(tags), true, Json.NULL);
  }

  /**
   * Returns a session with these tags that is not listed: only clients that know its id can send to
   * it.
   */
  public static SessionSpec unlisted(String... tags) {
    Objects.requireNonNull(tags, "tags");
    return new SessionSpec(List.of(tags), false, Json.NULL);
  }

  /**
   * Returns a copy with other tags.
   *
   * @throws RefusedException {@code invalid_tag}; the detail says which one and why
   */
  public SessionSpec withTags(List<String> tags) {
    return new SessionSpec(tags, isListed, metadata);
  }

  /** Returns a copy with other metadata. */
  public SessionSpec withMetadata(Json metadata) {
    return new SessionSpec(tags, isListed, metadata);
  }
}
