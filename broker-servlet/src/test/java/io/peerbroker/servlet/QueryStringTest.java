package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queries read as a form's are, but strictly. */
final class QueryStringTest {

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      textBlock =
          """
          none,             none
          '',               none
          a=1,              none
          filter,           ''
          filter=,          ''
          filter=x,         x
          filter=a=b,       a=b
          &&filter=x&,      x
          a=%zz&filter=x,   x
          f%69lter=x,       x
          filter=a+b,       a b
          filter=a%2Bb,     a+b
          filter=%26%3d,    &=
          filter=%c3%A9,    é
          filter=%F0%9F%98%80, 😀
          filter=%00,       '\u0000'
          Filter=x,         none
          """)
  void valuesAreDecoded(String query, String value) {
    assertThat(new QueryString(query).value("filter", Refusal.Code.INVALID_FILTER))
        .isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "filter=%",
        "filter=%4",
        "filter=%zz",
        "filter=%-1",
        "filter=%+1",
        "filter=%\uFF11\uFF11",
        "filter=%c3",
        "filter=%C0%AF",
        "filter=%ED%A0%80",
        "filter=%ff",
        "filter=é",
        "filter=a b",
        "filter=\u0000",
        "filter=1&filter=1",
        "filter&f%69lter"
      })
  void whatIsBadlyEncodedOrComesTwiceIsRefused(String query) {
    assertThatExceptionOfType(RefusedException.class)
        .isThrownBy(() -> new QueryString(query).value("filter", Refusal.Code.INVALID_FILTER))
        .satisfies(
            thrown -> {
              assertThat(thrown.refusal().code()).isEqualTo(Refusal.Code.INVALID_FILTER);
              assertThat(thrown.refusal().detail()).contains("'filter'");
            });
  }

  @Test
  void parametersThatAreNotKnownAreRefused() {
    Set<String> known = Set.of("a", "b");
    new QueryString(null).allowOnly(known);
    new QueryString("a=1&b&&a").allowOnly(known);
    for (String query : new String[] {"c", "a&A", "=1", "%zz=1", "a%00=1"}) {
      assertThatExceptionOfType(RefusedException.class)
          .as(query)
          .isThrownBy(() -> new QueryString(query).allowOnly(known))
          .satisfies(
              thrown ->
                  assertThat(thrown.refusal().code()).isEqualTo(Refusal.Code.INVALID_REQUEST));
    }
  }
}
