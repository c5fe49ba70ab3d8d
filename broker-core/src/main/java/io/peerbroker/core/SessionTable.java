package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * Sessions by their numbers.
 *
 * <p>An open-addressing table whose entries are the sessions themselves. For a million sessions, a
 * map's nodes and boxed numbers would take more memory than the rest of the index, and two more
 * memory accesses for each session that a search finds. Guarded by the directory's lock.
 */
final class SessionTable<T extends Numbered> {

  private static final int MIN_SLOTS = 16;

  /** Always a power of two, of which at most two thirds are used. */
  private @Nullable T[] slots = table(MIN_SLOTS);

  private int count;

  @Nullable T get(long number) {
    return slots[find(number)];
  }

  /** Adds a session that is not in the table. If memory runs out, the table has not changed. */
  void add(T session) {
    if (count + 1 > slots.length / 3 * 2) {
      resize(slots.length * 2);
    }
    slots[find(session.number)] = session;
    count++;
  }

  /** Removes a session that is in the table. Needs no memory. */
  void remove(T session) {
    int free = find(session.number);
    slots[free] = null;
    count--;
    // Entries that its slot had displaced, directly or not, move up: a search ends at a free slot.
    int last = slots.length - 1;
    T next;
    for (int at = (free + 1) & last; (next = slots[at]) != null; at = (at + 1) & last) {
      int home = home(next.number);
      if (((at - home) & last) >= ((at - free) & last)) {
        slots[free] = next;
        slots[at] = null;
        free = at;
      }
    }
    if (slots.length > MIN_SLOTS && count < slots.length / 8) {
      try {
        resize(slots.length / 2);
      } catch (OutOfMemoryError none) {
        // It stays as large as it is: a removal must not fail.
      }
    }
  }

  /** Returns the slot of a number, or the free slot where it would be. */
  private int find(long number) {
    int at = home(number);
    T there;
    while ((there = slots[at]) != null && there.number != number) {
      at = (at + 1) & (slots.length - 1);
    }
    return at;
  }

  /**
   * Returns the slot to look at first. Multiplication spreads equidistant numbers, which a client
   * can leave behind by opening and closing sessions, over different slots (Fibonacci hashing,
   * Knuth, The Art of Computer Programming, 6.4).
   */
  private int home(long number) {
    long spread = number * 0x9E37_79B9_7F4A_7C15L;
    return (int) (spread >>> (Long.numberOfLeadingZeros(slots.length) + 1));
  }

  @SuppressWarnings("unchecked") // nothing else gets hold of it
  private static <T extends Numbered> @Nullable T[] table(int length) {
    return (T[]) new Numbered[length];
  }

  private void resize(int length) {
    @Nullable T[] before = slots;
    slots = table(length);
    for (T session : before) {
      if (session != null) {
        slots[find(session.number)] = session;
      }
    }
  }
}
