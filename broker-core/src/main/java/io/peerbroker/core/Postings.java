package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A set of session numbers, in order, for the sessions that have one thing in common.
 *
 * <p>Numbers are given in order of creation, so sessions of one kind tend to be near each other and
 * new ones come at the end. They are kept 64 to a word under a common key (the number without its
 * lowest six bits), in leaves of a bounded size: the words of two sets can be compared at once,
 * adding at the end is an append, and a change anywhere moves no more than a leaf.
 *
 * <p>Guarded by the directory's lock.
 */
final class Postings {

  /** How many words a leaf may have. */
  static final int LEAF_WORDS = 256;

  /** Words in order of their keys; none is zero. */
  private static final class Leaf {
    long[] keys = new long[1];
    long[] words = new long[1];
    int size;

    long lastKey() {
      return keys[size - 1];
    }

    int find(long key) {
      return Arrays.binarySearch(keys, 0, size, key);
    }

    void insert(int at, long key, long word) {
      if (size == keys.length) {
        resize(size * 2);
      }
      System.arraycopy(keys, at, keys, at + 1, size - at);
      System.arraycopy(words, at, words, at + 1, size - at);
      keys[at] = key;
      words[at] = word;
      size++;
    }

    void delete(int at) {
      size--;
      System.arraycopy(keys, at + 1, keys, at, size - at);
      System.arraycopy(words, at + 1, words, at, size - at);
      // Few are left of old times where sessions come and go; they must not keep what many needed.
      if (size > 0 && size <= keys.length / 4) {
        resize(keys.length / 2);
      }
    }

    void append(Leaf from, int start) {
      int count = from.size - start;
      if (size + count > keys.length) {
        resize(size + count);
      }
      System.arraycopy(from.keys, start, keys, size, count);
      System.arraycopy(from.words, start, words, size, count);
      size += count;
    }

    void resize(int capacity) {
      keys = Arrays.copyOf(keys, capacity);
      words = Arrays.copyOf(words, capacity);
    }
  }

  private static final long[] NONE = {};

  private final List<Leaf> leaves = new ArrayList<>(1);
  private int count;
  private int words;

  /** The key of a number: what it shares with the 63 others of its word. */
  static long key(long number) {
    return number >>> 6;
  }

  /** The bit of a number in its word. */
  static long bit(long number) {
    return 1L << number;
  }

  /** How many numbers there are. */
  int count() {
    return count;
  }

  /**
   * At most about how many bytes it takes: 32 for each word, since an array may be half empty; so
   * half a byte for each number where they lie close, and 32 where none is near another.
   */
  long bytes() {
    return 32L * words;
  }

  /** Whether a number is there. */
  boolean contains(long number) {
    long key = key(number);
    int at = leafOf(key);
    if (at == leaves.size()) {
      return false;
    }
    Leaf leaf = leaves.get(at);
    int found = leaf.find(key);
    return found >= 0 && (leaf.words[found] & bit(number)) != 0;
  }

  /** Adds a number that is not there. */
  void add(long number) {
    count++;
    long key = key(number);
    int at = leafOf(key);
    if (at == leaves.size()) {
      // Beyond all others, as that of a new session is.
      if (at == 0 || leaves.get(at - 1).size == LEAF_WORDS) {
        leaves.add(new Leaf());
      } else {
        at--;
      }
    }
    Leaf leaf = leaves.get(at);
    int found = leaf.find(key);
    if (found >= 0) {
      leaf.words[found] |= bit(number);
      return;
    }
    int place = -found - 1;
    if (leaf.size == LEAF_WORDS) {
      Leaf right = new Leaf();
      right.append(leaf, LEAF_WORDS / 2);
      leaf.size = LEAF_WORDS / 2;
      leaf.resize(leaf.size);
      leaves.add(at + 1, right);
      if (place > leaf.size) {
        place -= leaf.size;
        leaf = right;
      }
    }
    leaf.insert(place, key, bit(number));
    words++;
  }

  /** Takes out a number that is there. */
  void remove(long number) {
    count--;
    long key = key(number);
    int at = leafOf(key);
    Leaf leaf = leaves.get(at);
    int found = leaf.find(key);
    leaf.words[found] &= ~bit(number);
    if (leaf.words[found] != 0) {
      return;
    }
    leaf.delete(found);
    words--;
    if (leaf.size == 0) {
      leaves.remove(at);
    } else if (at + 1 < leaves.size() && leaf.size + leaves.get(at + 1).size <= LEAF_WORDS / 2) {
      leaf.append(leaves.remove(at + 1), 0);
    } else if (at > 0 && leaf.size + leaves.get(at - 1).size <= LEAF_WORDS / 2) {
      leaves.get(at - 1).append(leaves.remove(at), 0);
    }
  }

  /** The first leaf that ends at a key or behind it, or the number of leaves. */
  private int leafOf(long key) {
    int low = 0;
    int high = leaves.size();
    // New sessions come at the end.
    if (high > 0 && leaves.get(high - 1).lastKey() < key) {
      return high;
    }
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (leaves.get(middle).lastKey() < key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** A place before the first number; good until the set changes. */
  Cursor cursor() {
    return new Cursor();
  }

  /** A place in the set that moves forward from word to word. */
  final class Cursor {
    private int leaf = -1;
    private int at;

    // The leaf's own, so that a step within it, as nearly all are, looks at nothing else.
    private long[] keys = NONE;
    private long[] words = NONE;
    private int size;

    /** Moves on to the first word whose key is not before this one; false where there is none. */
    boolean seek(long key) {
      if (at < size && keys[at] >= key) {
        return true;
      }
      int next = at + 1;
      if (next < size && keys[next] >= key) {
        at = next;
        return true;
      }
      return leap(key);
    }

    private boolean leap(long key) {
      if (size == 0 || keys[size - 1] < key) {
        if (leaf >= leaves.size()) {
          return false;
        }
        leaf = leafOf(key);
        at = 0;
        size = 0;
        if (leaf >= leaves.size()) {
          return false;
        }
        Leaf there = leaves.get(leaf);
        keys = there.keys;
        words = there.words;
        size = there.size;
      }
      if (keys[at] < key) {
        // Near, as a rule: some steps on, twice as many each time.
        int step = 1;
        while (at + step < size && keys[at + step] < key) {
          at += step;
          step <<= 1;
        }
        int found = Arrays.binarySearch(keys, at + 1, Math.min(at + step + 1, size), key);
        at = found >= 0 ? found : -found - 1;
      }
      return true;
    }

    /** The key of the word here. */
    long key() {
      return keys[at];
    }

    /** The numbers here, a bit for each. */
    long word() {
      return words[at];
    }
  }
}
