package io.peerbroker.core;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.UUID;

/** The only place that creates ids and keys and compares keys. */
final class Ids {

  private static final int KEY_BYTES = 24;

  private final SecureRandom random = new SecureRandom();

  /** Returns a new address for a channel or session: RFC 9562 version 4, 122 random bits. */
  String id() {
    return UUID.randomUUID().toString();
  }

  /** Returns a new key: 192 random bits in URL-safe base64. */
  String key() {
    byte[] bytes = new byte[KEY_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /**
   * Returns a new id for a message that waits: 64 random bits. A counter would show each sender how
   * much the others send.
   */
  String delivery() {
    return Long.toUnsignedString(random.nextLong(), Character.MAX_RADIX);
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
