package io.peerbroker.core;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encodes the position where a page begins for clients, encrypted with a key of this broker, or of
 * all its nodes.
 *
 * <p>In plain text, a position would show a client that lists twice how many sessions others have
 * created in between, or when, even those it cannot see. One block of AES hides it, and the bits in
 * it that must be zero, at least 44, show whether the cursor was made with this key. Safe for use
 * by many threads.
 */
final class PageCursors {

  private static final int BLOCK = 16;

  /** Where the tag of the position's node is in the second half of a block. */
  private static final int TAG_SHIFT = Long.SIZE - Ids.TAG_BITS;

  private final ReentrantLock lock = new ReentrantLock();

  // The ciphers are guarded by the lock, and created once: looking one up takes longer than many a
  // page.
  private final Cipher writing;
  private final Cipher reading;

  /** Whether positions have the tag of a node. */
  private final boolean tagged;

  /** Creates the cursors of a broker that is alone, with a key of its own. */
  PageCursors() {
    this(random(), false);
  }

  /**
   * Creates the cursors of a node.
   *
   * @param key the key that all nodes share, of 16 bytes
   * @throws IllegalArgumentException if it has another length
   */
  PageCursors(byte[] key) {
    this(key, true);
  }

  private PageCursors(byte[] key, boolean tagged) {
    if (key.length != BLOCK) {
      throw new IllegalArgumentException(
          "A key of cursors has " + BLOCK + " bytes, not " + key.length);
    }
    SecretKeySpec secret = new SecretKeySpec(key, "AES");
    writing = cipher(Cipher.ENCRYPT_MODE, secret);
    reading = cipher(Cipher.DECRYPT_MODE, secret);
    this.tagged = tagged;
  }

  private static byte[] random() {
    byte[] random = new byte[BLOCK];
    new SecureRandom().nextBytes(random);
    return random;
  }

  /** Returns the cursor of a position; always the same for the same position. */
  String write(ListPosition position) {
    long tag = tagged ? (long) position.origin() << TAG_SHIFT : 0;
    byte[] block = ByteBuffer.allocate(BLOCK).putLong(position.created()).putLong(tag).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(apply(writing, block));
  }

  /**
   * Returns the position of a cursor.
   *
   * @throws RefusedException {@code invalid_request} for a cursor that {@link #write} did not make
   */
  ListPosition read(String cursor) {
    byte[] block;
    try {
      block = Base64.getUrlDecoder().decode(cursor);
    } catch (IllegalArgumentException notBase64) {
      block = new byte[0];
    }
    if (block.length == BLOCK) {
      ByteBuffer plain = ByteBuffer.wrap(apply(reading, block));
      long created = plain.getLong();
      int tag = (int) (plain.getLong() >>> TAG_SHIFT);
      ListPosition position = new ListPosition(created, tagged ? tag : Ids.NO_TAG);
      // Encoded again, so that a position has only one cursor: base64 has spare bits at its end,
      // and
      // whatever else is in the block must be zero.
      if (created > 0 && write(position).equals(cursor)) {
        return position;
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
