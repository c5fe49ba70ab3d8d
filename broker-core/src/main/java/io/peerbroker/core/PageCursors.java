package io.peerbroker.core;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encodes the position where a page begins for clients, encrypted with a key of this broker.
 *
 * <p>The position is the number of a session in the order of all creations. In plain text, it would
 * show a client that lists twice how many sessions others have created in between, even those it
 * cannot see. One block of AES hides the number, and eight bytes in it that must be zero show
 * whether the cursor was made here. Safe for use by many threads.
 */
final class PageCursors {

  private static final int BLOCK = 16;

  private final ReentrantLock lock = new ReentrantLock();

  // The ciphers are guarded by the lock, and created once: looking one up takes longer than many a
  // page.
  private final Cipher writing;
  private final Cipher reading;

  PageCursors() {
    byte[] random = new byte[BLOCK];
    new SecureRandom().nextBytes(random);
    SecretKeySpec key = new SecretKeySpec(random, "AES");
    writing = cipher(Cipher.ENCRYPT_MODE, key);
    reading = cipher(Cipher.DECRYPT_MODE, key);
  }

  /** Returns the cursor of a position; always the same for the same position. */
  String write(long number) {
    byte[] block = ByteBuffer.allocate(BLOCK).putLong(number).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(apply(writing, block));
  }

  /**
   * Returns the position of a cursor.
   *
   * @throws RefusedException {@code invalid_request} for a cursor that {@link #write} did not make
   */
  long read(String cursor) {
    byte[] block;
    try {
      block = Base64.getUrlDecoder().decode(cursor);
    } catch (IllegalArgumentException notBase64) {
      block = new byte[0];
    }
    if (block.length == BLOCK) {
      ByteBuffer plain = ByteBuffer.wrap(apply(reading, block));
      long number = plain.getLong();
      // Encoded again, so that a position has only one cursor: base64 has spare bits at its end.
      if (number > 0 && plain.getLong() == 0 && write(number).equals(cursor)) {
        return number;
      }
    }
    throw RefusedException.of(
        Refusal.Code.INVALID_REQUEST,
        "'after' must be the cursor that this broker returned with the previous page.");
  }

  private static Cipher cipher(int mode, SecretKeySpec key) {
    try {
      // ECB is safe here: it is a single block that clients never choose and that may show that it
      // is the same.
      Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
      cipher.init(mode, key);
      return cipher;
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("This JVM has no AES", impossible);
    }
  }

  private byte[] apply(Cipher cipher, byte[] block) {
    lock.lock();
    try {
      return cipher.doFinal(block);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("A block of AES has another length", impossible);
    } finally {
      lock.unlock();
    }
  }
}
