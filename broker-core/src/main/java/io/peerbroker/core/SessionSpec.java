package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/**
 * What a session is to be when it is created.
 *
 * @param tags trimmed, duplicates folded, in the order given; unmodifiable
 * @param isListed whether lists show it
 * @param metadata any JSON value, shown to others as it came
 */
public record SessionSpec(List<String> tags, boolean isListed, Json metadata) {

  /**
   * Checks and trims the tags: at most 64 code points each, not empty, no control character, no
   * comma, no {@code !} at the start.
   *
   * @throws RefusedException {@code invalid_tag}, which says which one and why
   */
  public SessionSpec {
    Objects.requireNonNull(tags, "tags");
    tags = Tags.normalize(tags);
    Objects.requireNonNull(metadata, "metadata");
  }

  /** A session that lists show, with some tags. */
  public static SessionSpec listed(String... tags) {
    Objects.requireNonNull(tags, "tags");
    return new SessionSpec(List.of(tags), true, Json.NULL);
  }

  /** A session that only those find who are told its id. */
  public static SessionSpec unlisted(String... tags) {
    Objects.requireNonNull(tags, "tags");
    return new SessionSpec(List.of(tags), false, Json.NULL);
  }

  /**
   * The same with other tags.
   *
   * @throws RefusedException {@code invalid_tag}, which says which one and why
   */
  public SessionSpec withTags(List<String> tags) {
    return new SessionSpec(tags, isListed, metadata);
  }

  /** The same with other metadata. */
  public SessionSpec withMetadata(Json metadata) {
    return new SessionSpec(tags, isListed, metadata);
  }
}
