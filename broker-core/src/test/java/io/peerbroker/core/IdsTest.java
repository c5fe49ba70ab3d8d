package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Ids that must not be guessed. */
final class IdsTest {

  private final Ids ids = new Ids();

  @Test
  void keysAreOfSecureRandomBits() {
    assertThat(ids).extracting("random").isExactlyInstanceOf(SecureRandom.class);
    Set<String> keys = new HashSet<>();
    int[] ones = new int[192];
    for (int i = 0; i < 4_000; i++) {
      String key = ids.key();
      assertThat(key).matches("[A-Za-z0-9_-]{32}");
      keys.add(key);
      byte[] bytes = Base64.getUrlDecoder().decode(key);
      for (int bit = 0; bit < ones.length; bit++) {
        ones[bit] += (bytes[bit / 8] >> (bit % 8)) & 1;
      }
    }
    assertThat(keys).hasSize(4_000);
    // No bit is fixed: each is set half of the time, within more than seven standard deviations.
    for (int count : ones) {
      assertThat(count).isBetween(1_750, 2_250);
    }
  }

  @Test
  void idsAreRandomUuidsAndSayNothingAboutTime() {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 4_000; i++) {
      String id = ids.id();
      UUID uuid = UUID.fromString(id);
      assertThat(uuid).hasToString(id);
      assertThat(uuid.version()).isEqualTo(4);
      assertThat(uuid.variant()).isEqualTo(2);
      seen.add(id.substring(0, 13));
    }
    // No two ids that were made in a row begin alike.
    assertThat(seen).hasSize(4_000);
  }

  @Test
  void namesOfMessagesSayNothingOfTheirNumber() {
    Ids ids = new Ids();
    java.util.Set<String> names = new java.util.HashSet<>();
    long before = 0;
    for (int i = 0; i < 1_000; i++) {
      String name = ids.delivery();
      assertThat(names.add(name)).isTrue();
      long number = Long.parseUnsignedLong(name, Character.MAX_RADIX);
      assertThat(Math.abs(number - before)).isGreaterThan(1_000);
      before = number;
    }
  }
}
