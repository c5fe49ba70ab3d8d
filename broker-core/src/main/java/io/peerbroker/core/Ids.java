package io.peerbroker.core;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.UUID;

/**
 * The only place that creates ids and keys and compares keys.
 *
 * <p>A node, one of several that are one broker, has a tag: its ids begin with it, so every node
 * knows where an id comes from, and no two nodes make the same.
 */
final class Ids {

  /** What stands for the tag where there is none. */
  static final int NO_TAG = -1;

  /** The bits of a tag: the first five digits of an id. */
  static final int TAG_BITS = 20;

  private static final int TAG_DIGITS = TAG_BITS / 4;
  private static final int KEY_BYTES = 24;

  /** An id of version 8, whose first digits are a tag. */
  private static final String TAGGED = "xxxxxxxx-xxxx-8xxx-vxxx-xxxxxxxxxxxx";

  private final SecureRandom random = new SecureRandom();
  private final int tag;

  /** Creates the maker of a broker that is alone. */
  Ids() {
    tag = NO_TAG;
  }

  /**
   * Creates the maker of a node.
   *
   * @param tag at least 0, of {@value #TAG_BITS} bits
   * @throws IllegalArgumentException for another number
   */
  Ids(int tag) {
    if (tag < 0 || tag >>> TAG_BITS != 0) {
      throw new IllegalArgumentException(
          "A node's tag is from 0 to " + ((1 << TAG_BITS) - 1) + ", not " + tag);
    }
    this.tag = tag;
  }

  /** Returns this node's tag, or {@link #NO_TAG}. */
  int tag() {
    return tag;
  }

  /**
   * Returns a new address for a channel or session: RFC 9562 version 4, 122 random bits; from a
   * node version 8, its tag and 102 random bits.
   */
  String id() {
    UUID id = UUID.randomUUID();
    if (tag == NO_TAG) {
      return id.toString();
    }
    long rest = id.getMostSignificantBits() & (-1L >>> TAG_BITS) & ~0xF000L;
    long first = ((long) tag << (Long.SIZE - TAG_BITS)) | rest | 0x8000L;
    return new UUID(first, id.getLeastSignificantBits()).toString();
  }

  /** Returns the tag of the node that made an id; {@link #NO_TAG} if no node has made it. */
  static int tagOf(String id) {
    if (id.length() != TAGGED.length()) {
      return NO_TAG;
    }
    for (int i = 0; i < id.length(); i++) {
      char c = id.charAt(i);
      boolean fits =
          switch (TAGGED.charAt(i)) {
            case 'x' -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            case 'v' -> c == '8' || c == '9' || c == 'a' || c == 'b';
            default -> c == TAGGED.charAt(i);
          };
      if (!fits) {
        return NO_TAG;
      }
    }
    return Integer.parseInt(id, 0, TAG_DIGITS, 16);
  }

  /** Returns a new key: 192 random bits in URL-safe base64. */
  String key() {
    byte[] bytes = new byte[KEY_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /**
   * Returns a new id for a message that waits: 64 random bits, after the node's tag if it has one.
   * A counter would show each sender how much the others send.
   */
  String delivery() {
    String random = Long.toUnsignedString(this.random.nextLong(), Character.MAX_RADIX);
    return tag == NO_TAG ? random : hex(tag) + random;
  }

  /**
   * Returns a tag as all of its digits, so that what follows it cannot be taken for a part of it.
   */
  private static String hex(int tag) {
    return Integer.toHexString((1 << TAG_BITS) | tag).substring(1);
  }

  /**
   * Returns whether a key is the expected one, in a time that does not depend on how much of it is
   * right.
   */
  static boolean matches(String expected, String shown) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), shown.getBytes(StandardCharsets.UTF_8));
  }
}
