package io.peerbroker.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to change about a session; what is null stays as it is.
 *
 * @param tags the new tags, trimmed, duplicates folded
 * @param listed whether lists are to show it
 * @param metadata the new metadata ({@link Json#NULL} to take it away)
 */
public record SessionUpdate(
    @Nullable List<String> tags, @Nullable Boolean listed, @Nullable Json metadata) {

  private static final SessionUpdate NOTHING = new SessionUpdate(null, null, null);

  /**
   * Checks and trims the tags as {@link SessionSpec} does.
   *
   * @throws RefusedException {@code invalid_tag}, which says which one and why
   */
  public SessionUpdate {
    tags = tags == null ? null : Tags.normalize(tags);
  }

  /** An update that changes nothing, to start from. */
  public static SessionUpdate nothing() {
    return NOTHING;
  }

  /** This update, and new tags. */
  public SessionUpdate withTags(String... tags) {
    return new SessionUpdate(List.of(tags), listed, metadata);
  }

  /** This update, and new tags. */
  public SessionUpdate withTags(List<String> tags) {
    return new SessionUpdate(tags, listed, metadata);
  }

  /** This update, and whether lists are to show the session. */
  public SessionUpdate withListed(boolean listed) {
    return new SessionUpdate(tags, listed, metadata);
  }

  /** This update, and new metadata. */
  public SessionUpdate withMetadata(Json metadata) {
    return new SessionUpdate(tags, listed, metadata);
  }
}
