package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes to a session; properties that are null stay as they are.
 *
 * @param tags the new tags, trimmed, without duplicates
 * @param listed whether lists show it from now on
 * @param metadata the new metadata ({@link Json#NULL} removes it)
 */
public record SessionUpdate(
    @Nullable List<String> tags, @Nullable Boolean listed, @Nullable Json metadata) {

  private static final SessionUpdate NOTHING = new SessionUpdate(null, null, null);

  /**
   * Checks and trims the tags as {@link SessionSpec} does.
   *
   * @throws RefusedException {@code invalid_tag}; the detail says which one and why
   */
  public SessionUpdate {
    tags = tags == null ? null : Tags.normalize(tags);
  }

  /** Returns an update that changes nothing, to start from. */
  public static SessionUpdate nothing() {
    return NOTHING;
  }

  /** Returns this update with new tags. */
  public SessionUpdate withTags(String... tags) {
    return new SessionUpdate(List.of(tags), listed, metadata);
  }

  /** Returns this update with new tags. */
  public SessionUpdate withTags(List<String> tags) {
    return new SessionUpdate(tags, listed, metadata);
  }

  /** Returns this update with a new setting for whether lists show the session. */
  public SessionUpdate withListed(boolean listed) {
    return new SessionUpdate(tags, listed, metadata);
  }

  /** Returns this update with new metadata. */
  public SessionUpdate withMetadata(Json metadata) {
    return new SessionUpdate(tags, listed, metadata);
  }
}
