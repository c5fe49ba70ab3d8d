package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An ordered set of the numbers of sessions that have something in common.
 *
 * <p>Sessions are numbered in order of creation, so similar sessions tend to have close numbers,
 * and new ones come at the end. 64 numbers are packed into a word under a common key (the number
 * without its lowest six bits), in leaves of bounded size. So the words of two sets are compared
 * directly, adding at the end is an append, and a change elsewhere moves at most one leaf.
 *
 * <p>Guarded by the directory's lock.
 */
final class Postings {

  /** The most words that a leaf may have. */
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
      // Where sessions come and go, old leaves shrink; they must not keep arrays sized for their
      // peak.
      if (size > 0 && size <= keys.length / 4) {
        shrink(keys.length / 2);
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
      long[] newKeys = Arrays.copyOf(keys, capacity);
      words = Arrays.copyOf(words, capacity);
      keys = newKeys;
    }

    /** Gives memory back; without memory for that, it stays as large as it is. */
    void shrink(int capacity) {
      try {
        resize(capacity);
      } catch (OutOfMemoryError none) {
        // A removal must not fail: the session has gone from everything else.
      }
    }
  }

  private static final long[] NONE = {};

  private final List<Leaf> leaves = new ArrayList<>(1);
  private int count;
  private int words;

  /** Returns the key of a number, which it shares with the 63 others of its word. */
  static long key(long number) {
    return number >>> 6;
  }

  /** Returns the bit of a number in its word. */
  static long bit(long number) {
    return 1L << number;
  }

  /** Returns the count of numbers. */
  int count() {
    return count;
  }

  /**
   * Returns an upper estimate of its size in bytes: 32 for each word, since an array may be half
   * empty. That is half a byte for each number where the numbers are dense, and 32 bytes where each
   * is in a word of its own.
   */
  long bytes() {
    return 32L * words;
  }

  /** Returns whether a number is in the set. */
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

  /** Adds a number that is not in the set. If memory runs out, the set has not changed. */
  void add(long number) {
    long key = key(number);
    int at = leafOf(key);
    if (at == leaves.size()) {
      // Greater than all others, as the number of a new session is.
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
      count++;
      return;
    }
    int place = -found - 1;
    if (leaf.size == LEAF_WORDS) {
      Leaf right = new Leaf();
      right.append(leaf, LEAF_WORDS / 2);
      leaves.add(at + 1, right);
      leaf.size = LEAF_WORDS / 2;
      leaf.shrink(leaf.size);
      if (place > leaf.size) {
        place -= leaf.size;
        leaf = right;
      }
    }
    leaf.insert(place, key, bit(number));
    words++;
    count++;
  }

  /** Removes a number that is in the set. Needs no memory. */
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
      join(at);
    } else if (at > 0 && leaf.size + leaves.get(at - 1).size <= LEAF_WORDS / 2) {
      join(at - 1);
    }
  }

  /** Joins a leaf with the next one; without memory for that, they stay apart. */
  private void join(int at) {
    try {
      leaves.get(at).append(leaves.get(at + 1), 0);
    } catch (OutOfMemoryError none) {
      return;
    }
    leaves.remove(at + 1);
  }

  /** Returns the first leaf that ends at or after a key, or the count of leaves. */
  private int leafOf(long key) {
    int low = 0;
    int high = leaves.size();
    // New sessions are at the end.
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

  /** Returns a cursor before the first number, valid until the set changes. */
  Cursor cursor() {
    return new Cursor();
  }

  /** A position in the set that moves forward from word to word. */
  final class Cursor {
    private int leaf = -1;
    private int at;

    // Copied from the leaf: nearly all steps stay within one, and then touch nothing else.
    private long[] keys = NONE;
    private long[] words = NONE;
    private int size;

    /**
     * Advances to the first word whose key is at least this one; returns false if there is none.
     */
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
        // It is usually near: gallop, doubling the step each time.
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

    /** Returns the key of the current word. */
    long key() {
      return keys[at];
    }

    /** Returns the numbers of the current word, a bit for each. */
    long word() {
      return words[at];
    }
  }
}
