package io.peerbroker.core;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The live lists, under one tag that each requires, so that a change is looked at by those alone
 * that could see it.
 *
 * <p>Guarded by the directory's lock.
 */
final class Watches {

  private final Map<String, Set<ListStream>> byTag = new HashMap<>();
  private final Set<ListStream> withoutTag = new LinkedHashSet<>();

  void add(ListStream stream) {
    home(stream, true).add(stream);
  }

  void remove(ListStream stream) {
    home(stream, false).remove(stream);
    byTag.computeIfPresent(tagOf(stream), (tag, streams) -> streams.isEmpty() ? null : streams);
  }

  /** Visits those that could see a session with any of these tags, each once. */
  void forEachThatCouldSee(List<String> tags, List<String> moreTags, Consumer<ListStream> visit) {
    withoutTag.forEach(visit);
    if (byTag.isEmpty()) {
      return;
    }
    for (String tag : tags) {
      byTag.getOrDefault(tag, Set.of()).forEach(visit);
    }
    if (moreTags != tags) {
      for (String tag : moreTags) {
        if (!tags.contains(tag)) {
          byTag.getOrDefault(tag, Set.of()).forEach(visit);
        }
      }
    }
  }

  private Set<ListStream> home(ListStream stream, boolean make) {
    String tag = tagOf(stream);
    if (tag.isEmpty()) {
      return withoutTag;
    }
    return make
        ? byTag.computeIfAbsent(tag, unused -> new LinkedHashSet<>())
        : byTag.getOrDefault(tag, new LinkedHashSet<>());
  }

  /**
   * The tag that a stream is found under; no tag is empty, so that the empty text can stand for
   * none.
   */
  private static String tagOf(ListStream stream) {
    return stream.filter().required().stream().min(String::compareTo).orElse("");
  }
}
