package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

/** The rules L2 to L7 of docs/protocol.md, as far as they concern the filter alone. */
final class TagFilterTest {

  private static boolean passes(String filter, String... tags) {
    return TagFilter.parse(filter).matches(List.of(tags));
  }

  @Test
  @Tag("L2")
  void allTermsHoldTogether() {
    assertThat(passes("a", "a")).isTrue();
    assertThat(passes("a", "b")).isFalse();
    assertThat(passes("a,b", "b", "x", "a")).isTrue();
    assertThat(passes("a,b", "a")).isFalse();
    assertThat(passes("!a", "b")).isTrue();
    assertThat(passes("!a")).isTrue();
    assertThat(passes("!a", "b", "a")).isFalse();
    assertThat(passes("a,!b", "a")).isTrue();
    assertThat(passes("a,!b", "a", "b")).isFalse();
    assertThat(passes("a", "A")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\t\u3000\u2028"})
  @Tag("L3")
  void anEmptyFilterPassesAll(String filter) {
    assertThat(TagFilter.parse(filter)).isSameAs(TagFilter.all());
    assertThat(passes(filter)).isTrue();
    assertThat(passes(filter, "a")).isTrue();
  }

  @Test
  @Tag("L4")
  void trimsTermsAlsoAroundTheMark() {
    assertThat(TagFilter.parse(" a ,\u3000!\u2003b\n, c d "))
        .isEqualTo(TagFilter.parse("a,!b,c d"))
        .hasToString("a,c d,!b");
  }

  @Test
  @Tag("L5")
  void aContradictionPassesNothing() {
    assertThat(passes("a,!a")).isFalse();
    assertThat(passes("a,!a", "a")).isFalse();
    assertThat(passes("a,!a", "b")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a,,b",
        "a,",
        ",a",
        ",",
        "a, ,b",
        "!",
        "a,!",
        "! ",
        "!!a",
        "! !a",
        "!!",
        "a\u0000b",
        "a\nb",
        "\u001Ca",
        "!a\u0085b",
        "\uD83D",
        "!\uDE00"
      })
  @Tag("L6")
  void refusesWhatIsNoFilter(String filter) {
    assertRefused(() -> TagFilter.parse(filter), Code.INVALID_FILTER);
  }

  @Test
  @Tag("L6")
  void boundsEachTagInCodePoints() {
    String astral = "\uD83D\uDE00";
    assertThat(passes("!" + astral.repeat(64), "a")).isTrue();
    assertThat(passes(" ".repeat(500) + "a".repeat(64), "a".repeat(64))).isTrue();
    assertRefused(() -> TagFilter.parse("a".repeat(65)), Code.INVALID_FILTER);
    assertRefused(() -> TagFilter.parse("!" + astral.repeat(65)), Code.INVALID_FILTER);
  }

  @Test
  @Tag("L6")
  void boundsTheWholeInCodePoints() {
    String term = "\uD83D\uDE00".repeat(63) + ",";
    String whole = term.repeat(15) + "a".repeat(64);
    assertThat(whole.codePointCount(0, whole.length())).isEqualTo(1_024);
    assertThat(TagFilter.parse(whole).required()).hasSize(2);
    assertRefused(() -> TagFilter.parse(" " + whole), Code.INVALID_FILTER).contains("1024");
    assertRefused(() -> TagFilter.parse(" ".repeat(1_025)), Code.INVALID_FILTER);
  }

  @Test
  void itsTagsCanBeReadButNotChanged() {
    TagFilter filter = TagFilter.parse("a,b,!c");
    assertThat(filter.required()).containsExactlyInAnyOrder("a", "b");
    assertThat(filter.excluded()).containsExactly("c");
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> filter.required().add("d"));
  }

  @Test
  void bothAreAskedForTogether() {
    TagFilter filter = TagFilter.parse("a,!b");
    assertThat(filter.and(TagFilter.parse("c,a,!d"))).isEqualTo(TagFilter.parse("a,c,!b,!d"));
    assertThat(filter.and(TagFilter.all())).isSameAs(filter);
    assertThat(TagFilter.all().and(filter)).isEqualTo(filter);
    assertThat(filter.and(TagFilter.parse("b")).matches(List.of("a", "b"))).isFalse();
  }

  @Test
  void tagsAreRequiredAsTheyAre() {
    assertThat(TagFilter.requiring("a", " b ", "a")).isEqualTo(TagFilter.parse("a,b"));
    assertThat(TagFilter.requiring()).isEqualTo(TagFilter.all());
    for (String none : List.of("", "a,b", "!a", "a\0b", "x".repeat(65))) {
      assertThatIllegalArgumentException().isThrownBy(() -> TagFilter.requiring("a", none));
    }
  }

  @Test
  @DisplayName("A mock serves code that hands a filter on; the broker refuses it by its class.")
  void foreign() {
    TagFilter mock = Mockito.mock(TagFilter.class);
    Mockito.when(mock.required()).thenReturn(Set.of("a"));
    assertThat(mock.required()).containsExactly("a");
    try (Broker broker = Broker.builder().drainTimeout(Duration.ZERO).build()) {
      for (Broker door : List.of(broker, broker.forCaller(Caller.of(null)))) {
        refusesForeign(() -> door.list(mock));
        refusesForeign(() -> door.gateway().readPage(mock, 1, null));
        refusesForeign(() -> door.watch(mock, new Replay()));
        refusesForeign(() -> door.watch(mock, new Replay(), Runnable::run));
        refusesForeign(() -> door.gateway().watch(mock, attachment -> new ManualTransport()));
      }
      refusesForeign(() -> Scope.of(mock));
      refusesForeign(() -> TagFilter.all().and(mock));
      assertThat(broker.stats().watchesOpened()).isZero();
      LeakAssert.assertNone(broker);
    }
    Mockito.verify(mock).required();
    Mockito.verifyNoMoreInteractions(mock);
  }

  private static void refusesForeign(ThrowingCallable call) {
    assertThatIllegalArgumentException()
        .isThrownBy(call)
        .withMessageContaining("TagFilter.parse")
        .withMessageContaining(TagFilter.class.getSimpleName() + "$MockitoMock");
  }
}
