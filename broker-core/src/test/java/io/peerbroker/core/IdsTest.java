package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.DisplayName;
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

  @Property(tries = 300)
  void anIdSaysWhichNodeMadeIt(@ForAll @IntRange(max = (1 << Ids.TAG_BITS) - 1) int tag) {
    String id = new Ids(tag).id();
    UUID uuid = UUID.fromString(id);
    assertThat(uuid).hasToString(id);
    assertThat(uuid.version()).isEqualTo(8);
    assertThat(uuid.variant()).isEqualTo(2);
    assertThat(Ids.tagOf(id)).isEqualTo(tag);
    assertThat(Ids.tagOf(id.toUpperCase(Locale.ROOT)))
        .isIn(Ids.NO_TAG, id.chars().noneMatch(Character::isAlphabetic) ? tag : Ids.NO_TAG);
  }

  @Property(tries = 300)
  void anIdWithAnotherCharacterHasNoTag(
      @ForAll @IntRange(max = 35) int at, @ForAll @StringLength(1) String other) {
    String id = new Ids(0xABCDE).id();
    String changed = id.substring(0, at) + other + id.substring(at + 1);
    boolean isTagged =
        changed.matches("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    assertThat(Ids.tagOf(changed))
        .isEqualTo(isTagged ? Integer.parseInt(changed.substring(0, 5), 16) : Ids.NO_TAG);
  }

  @Property
  void noOtherTextHasATag(@ForAll String text) {
    assertThat(Ids.tagOf(text)).isEqualTo(Ids.NO_TAG);
    assertThat(Ids.tagOf(ids.id())).isEqualTo(Ids.NO_TAG);
  }

  @Test
  @DisplayName("Beside the tag, the version and the variant, every bit of a node's id is random.")
  void theOtherBitsOfANodesIdAreRandom() {
    Ids node = new Ids(0);
    int[] ones = new int[128];
    for (int i = 0; i < 4_000; i++) {
      UUID id = UUID.fromString(node.id());
      for (int bit = 0; bit < 64; bit++) {
        ones[bit] += (int) (id.getMostSignificantBits() >>> (63 - bit)) & 1;
        ones[64 + bit] += (int) (id.getLeastSignificantBits() >>> (63 - bit)) & 1;
      }
    }
    int random = 0;
    for (int count : ones) {
      random += count > 1_750 && count < 2_250 ? 1 : 0;
    }
    assertThat(random).isEqualTo(102);
  }

  @Property
  void deliveriesOfTwoNodesAreNeverTheSame(
      @ForAll @IntRange(max = (1 << Ids.TAG_BITS) - 1) int one,
      @ForAll @IntRange(max = (1 << Ids.TAG_BITS) - 1) int other) {
    String first = new Ids(one).delivery();
    String second = new Ids(other).delivery();
    assertThat(first.substring(0, 5).equals(second.substring(0, 5))).isEqualTo(one == other);
    assertThat(first).isNotEqualTo(second).hasSizeGreaterThan(5);
  }

  @Test
  void aTagHasTwentyBits() {
    assertThat(new Ids(0xFFFFF).tag()).isEqualTo(0xFFFFF);
    assertThat(ids.tag()).isEqualTo(Ids.NO_TAG);
    assertThatThrownBy(() -> new Ids(1 << Ids.TAG_BITS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A node's tag is from 0 to 1048575, not 1048576");
    assertThatThrownBy(() -> new Ids(-1)).isInstanceOf(IllegalArgumentException.class);
  }
}
