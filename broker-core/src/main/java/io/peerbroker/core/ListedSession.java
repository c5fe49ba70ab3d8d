package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/**
 * A session as a list shows it: a snapshot.
 *
 * @param id the session's id, to send to
 * @param tags its tags in the order given; unmodifiable
 * @param metadata its metadata as it arrived
 */
public record ListedSession(String id, List<String> tags, Json metadata) {

  public ListedSession {
    Objects.requireNonNull(id, "id");
    tags = List.copyOf(tags);
    Objects.requireNonNull(metadata, "metadata");
  }

  /** Returns an upper bound of its bytes as JSON, for the bounds of queues and pages. */
  int size() {
    return size(id.length(), tags, metadata);
  }

  static int size(int idLength, List<String> tags, Json metadata) {
    int size = 64 + idLength + metadata.length();
    for (String tag : tags) {
      size += 3;
      for (int i = 0; i < tag.length(); i++) {
        char c = tag.charAt(i);
        // The longest form of a char is an escape.
        size += c < 0x80 && c != '"' && c != '\\' ? 1 : 6;
      }
    }
    return size;
  }
}
