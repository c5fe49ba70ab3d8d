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
 * <p>A search goes along the shortest of the postings that its filter requires and looks into the
 * others at the places that are left. What it costs grows with that shortest one, 64 sessions at a
 * time, and with what is found, not with what there is.
 *
 * <p>Guarded by the directory's lock.
 */
final class TagIndex {

  /** How many words one search looks at before it lets changes in: some tens of microseconds. */
  private static final int SEARCH_WORDS = 4_096;

  private final SessionTable byNumber = new SessionTable();
  private final Postings all = new Postings();
  private final Map<String, Postings> byTag = new HashMap<>();

  int count() {
    return all.count();
  }

  /** How many listed sessions have a tag. */
  int count(String tag) {
    Postings postings = byTag.get(tag);
    return postings == null ? 0 : postings.count();
  }

  /** A session by its number, if it is there. */
  @Nullable LocalSession get(long number) {
    return byNumber.get(number);
  }

  /** At most about how many bytes it takes to remember which of those a filter passes. */
  long bytesToRemember(TagFilter filter) {
    List<Postings> required = required(filter);
    return required == null ? 0 : (required.isEmpty() ? all : required.get(0)).bytes();
  }

  /** Puts in a session that is not there. */
  void add(LocalSession session, List<String> tags) {
    all.add(session.number);
    tags.forEach(tag -> add(session, tag));
    // Last: a number that has no session is passed over, should memory have run out in the midst.
    byNumber.add(session);
  }

  /** Takes out a session that is there with these tags. */
  void remove(LocalSession session, List<String> tags) {
    byNumber.remove(session);
    all.remove(session.number);
    tags.forEach(tag -> remove(session, tag));
  }

  /** Gives a session that is there other tags. */
  void retag(LocalSession session, List<String> before, List<String> now) {
    for (String tag : before) {
      if (!now.contains(tag)) {
        remove(session, tag);
      }
    }
    for (String tag : now) {
      if (!before.contains(tag)) {
        add(session, tag);
      }
    }
  }

  private void add(LocalSession session, String tag) {
    byTag.computeIfAbsent(tag, unused -> new Postings()).add(session.number);
  }

  private void remove(LocalSession session, String tag) {
    Postings postings = byTag.get(tag);
    if (postings != null) {
      postings.remove(session.number);
      if (postings.count() == 0) {
        byTag.remove(tag);
      }
    }
  }

  /**
   * Finds sessions that pass a filter, in order of creation.
   *
   * @param after the number behind which to look
   * @param upTo the last number of interest
   * @param max how many to find at the most
   * @param found where they are added
   * @return up to where all have been found; {@code upTo} where there are no more
   */
  long find(TagFilter filter, long after, long upTo, int max, List<LocalSession> found) {
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
        // Where another has sent us on, that is where to look next.
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
        LocalSession session = byNumber.get(number);
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

  /** The postings of all tags that a filter requires, shortest first; null if one has none. */
  private @Nullable List<Postings> required(TagFilter filter) {
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
