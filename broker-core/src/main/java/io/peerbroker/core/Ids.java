package io.peerbroker.core;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.UUID;

/** The one place where ids and keys are made and keys are matched. */
final class Ids {

  private static final int KEY_BYTES = 24;

  private final SecureRandom random = new SecureRandom();

  /** A new address for a channel or session: RFC 9562 version 4, 122 random bits. */
  String id() {
    return UUID.randomUUID().toString();
  }

  /** A new key: 192 random bits in URL-safe base64. */
  String key() {
    byte[] bytes = new byte[KEY_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /**
   * A new name for a message that waits: 64 random bits. A count would tell each sender how much
   * the others send.
   */
  String delivery() {
    return Long.toUnsignedString(random.nextLong(), Character.MAX_RADIX);
  }

  /** Whether a key is the one expected, in a time that tells nothing about it. */
  static boolean matches(String expected, String shown) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), shown.getBytes(StandardCharsets.UTF_8));
  }
}
