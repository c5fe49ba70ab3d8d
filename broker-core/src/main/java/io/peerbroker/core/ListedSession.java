package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/**
 * What a list shows of a session, as it was at one moment.
 *
 * @param id the session's id, to send to
 * @param tags its tags in the order given; unmodifiable
 * @param metadata its metadata as it came
 */
public record ListedSession(String id, List<String> tags, Json metadata) {

  public ListedSession {
    Objects.requireNonNull(id, "id");
    tags = List.copyOf(tags);
    Objects.requireNonNull(metadata, "metadata");
  }

  /** About how many bytes it takes on a wire, for the bounds of queues and pages. */
  int size() {
    int size = 64 + id.length() + metadata.length();
    for (String tag : tags) {
      size += 3 + tag.length();
    }
    return size;
  }
}
