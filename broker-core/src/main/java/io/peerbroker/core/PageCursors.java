package io.peerbroker.core;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/**
 * How the place where a page begins is written for clients: encrypted with a key of this broker's.
 *
 * <p>The place is the number of a session in the order of all creations. Shown as it is, it would
 * tell whoever lists twice how many sessions others have created in between, listed for him or not.
 * One block of AES with eight bytes that must be zero shows nothing of it, and whether it was made
 * here. Safe for use by many threads.
 */
final class PageCursors {

  private static final int BLOCK = 16;

  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock. Made once: finding one takes longer than many a page.
  private final Cipher writing;
  private final Cipher reading;

  PageCursors() {
    byte[] random = new byte[BLOCK];
    new SecureRandom().nextBytes(random);
    SecretKeySpec key = new SecretKeySpec(random, "AES");
    writing = cipher(Cipher.ENCRYPT_MODE, key);
    reading = cipher(Cipher.DECRYPT_MODE, key);
  }

  /** A place in the form that clients see; the same for the same place. */
  String write(long number) {
    byte[] block = ByteBuffer.allocate(BLOCK).putLong(number).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(apply(writing, block));
  }

  /**
   * The place that a cursor stands for.
   *
   * @throws RefusedException {@code invalid_request} for one that {@link #write} has not made
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
      // Written again, so that one place has one cursor: base64 has bits to spare at its end.
      if (number > 0 && plain.getLong() == 0 && write(number).equals(cursor)) {
        return number;
      }
    }
    throw new RefusedException(
        Refusal.of(
            Refusal.Code.INVALID_REQUEST,
            "'after' must be a cursor that this broker gave with the page before."));
  }

  private static Cipher cipher(int mode, SecretKeySpec key) {
    try {
      // A single block that is never chosen by others and never has to hide that it is the same.
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
