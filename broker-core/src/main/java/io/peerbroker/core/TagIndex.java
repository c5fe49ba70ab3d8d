package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The listed sessions, in order of creation and by tag.
 *
 * <p>A search walks the shortest of the postings that its filter requires and probes the others
 * only where sessions are left. Its cost grows with that shortest one, 64 sessions at a time, and
 * with the sessions found, not with all sessions.
 *
 * <p>Guarded by the directory's lock.
 */
final class TagIndex<T extends Numbered> {

  /** How many words one search examines before it lets changes in: tens of microseconds. */
  private static final int SEARCH_WORDS = 4_096;

  private final SessionTable<T> byNumber = new SessionTable<>();
  private final Postings all = new Postings();
  private final Map<String, Postings> byTag = new HashMap<>();

  int count() {
    return all.count();
  }

  /** Returns how many listed sessions have a tag. */
  int count(String tag) {
    Postings postings = byTag.get(tag);
    return postings == null ? 0 : postings.count();
  }

  /** Returns the session of a number, or null. */
  @Nullable T get(long number) {
    return byNumber.get(number);
  }

  /** Returns the first session after a number, or null. */
  @Nullable T next(long number) {
    Postings.Cursor cursor = all.cursor();
    long first = number + 1;
    long key = Postings.key(first);
    if (!cursor.seek(key)) {
      return null;
    }
    long word = cursor.word();
    if (cursor.key() == key) {
      word &= -Postings.bit(first);
      if (word == 0) {
        if (!cursor.seek(key + 1)) {
          return null;
        }
        word = cursor.word();
      }
    }
    return byNumber.get((cursor.key() << 6) + Long.numberOfTrailingZeros(word));
  }

  /** Returns an upper estimate of the bytes needed to remember which sessions pass a filter. */
  long bytesToRemember(ParsedFilter filter) {
    List<Postings> required = required(filter);
    return required == null ? 0 : (required.isEmpty() ? all : required.get(0)).bytes();
  }

  /** Adds a session that is not in the index. If that fails, nothing of it is in the index. */
  void add(T session, List<String> tags) {
    all.add(session.number);
    boolean done = false;
    try {
      addTags(session, tags, List.of());
      byNumber.add(session);
      done = true;
    } finally {
      if (!done) {
        all.remove(session.number);
        removeTags(session, tags, List.of());
      }
    }
  }

  /** Removes a session that is in the index with these tags. Needs no memory. */
  void remove(T session, List<String> tags) {
    byNumber.remove(session);
    all.remove(session.number);
    removeTags(session, tags, List.of());
  }

  /** Replaces the tags of a session that is in the index. If that fails, they are as they were. */
  void retag(T session, List<String> before, List<String> now) {
    boolean done = false;
    try {
      addTags(session, now, before);
      done = true;
    } finally {
      // The old tags go once nothing can fail any longer.
      if (done) {
        removeTags(session, before, now);
      } else {
        removeTags(session, now, before);
      }
    }
  }

  /** Adds a session under the tags that are not among the other ones. */
  private void addTags(T session, List<String> tags, List<String> others) {
    for (String tag : tags) {
      if (!others.contains(tag)) {
        byTag.computeIfAbsent(tag, unused -> new Postings()).add(session.number);
      }
    }
  }

  /** Removes a session from the tags that are not among the other ones, where it is under them. */
  private void removeTags(T session, List<String> tags, List<String> others) {
    // By position: an iterator would need memory.
    for (int i = 0; i < tags.size(); i++) {
      String tag = tags.get(i);
      Postings postings = others.contains(tag) ? null : byTag.get(tag);
      if (postings == null) {
        continue;
      }
      if (postings.contains(session.number)) {
        postings.remove(session.number);
      }
      if (postings.count() == 0) {
        byTag.remove(tag);
      }
    }
  }

  /**
   * Finds sessions that pass a filter, in order of creation.
   *
   * @param after the number after which the search begins
   * @param upTo the last number of interest
   * @param max how many to find at most
   * @param found the list that they are added to
   * @return the number up to which all have been found; {@code upTo} if there are no more
   */
  long find(ParsedFilter filter, long after, long upTo, int max, List<T> found) {
    List<Postings> required = required(filter);
    if (required == null) {
      return upTo;
    }
    Postings.Cursor shortest = (required.isEmpty() ? all : required.get(0)).cursor();
    Postings.Cursor[] others =
        required.stream().skip(1).map(Postings::cursor).toArray(Postings.Cursor[]::new);
    Postings.Cursor[] excluded =
        filter.excluded().stream()
            .map(byTag::get)
            .filter(Objects::nonNull)
            .map(Postings::cursor)
            .toArray(Postings.Cursor[]::new);
    long first = after + 1;
    long key = Postings.key(first);
    int words = 1 + others.length + excluded.length;
    for (int looked = 0; looked < SEARCH_WORDS; looked += words) {
      if (!shortest.seek(key) || shortest.key() > Postings.key(upTo)) {
        return upTo;
      }
      key = shortest.key();
      long word = shortest.word();
      for (Postings.Cursor other : others) {
        if (!other.seek(key)) {
          return upTo;
        }
        if (other.key() > key) {
          key = other.key();
          word = 0;
          break;
        }
        word &= other.word();
      }
      if (word == 0) {
        // Where other postings skipped ahead, the search continues there.
        key = Math.max(key, shortest.key() + 1);
        continue;
      }
      for (Postings.Cursor other : excluded) {
        if (other.seek(key) && other.key() == key) {
          word &= ~other.word();
        }
      }
      if (key == Postings.key(first)) {
        word &= -Postings.bit(first);
      }
      if (key == Postings.key(upTo)) {
        word &= Postings.bit(upTo) | (Postings.bit(upTo) - 1);
      }
      for (; word != 0; word &= word - 1) {
        long number = (key << 6) + Long.numberOfTrailingZeros(word);
        T session = byNumber.get(number);
        if (session != null) {
          found.add(session);
          if (found.size() >= max) {
            return number;
          }
        }
      }
      key++;
    }
    return Math.min(upTo, (key << 6) - 1);
  }

  /**
   * Returns the postings of all tags that a filter requires, shortest first; null if a tag has
   * none.
   */
  private @Nullable List<Postings> required(ParsedFilter filter) {
    List<Postings> required = new ArrayList<>(filter.required().size());
    for (String tag : filter.required()) {
      Postings postings = byTag.get(tag);
      if (postings == null) {
        return null;
      }
      required.add(postings);
    }
    required.sort(Comparator.comparingInt(Postings::count));
    return required;
  }
}
