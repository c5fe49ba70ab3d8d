package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How much a client wants a JSON answer, and how much a stream. */
final class AcceptHeaderTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                                                   | 1   | 1
          ' '                                                  | 1   | 1
          ,                                                    | 1   | 1
          ' , , '                                              | 1   | 1
          */*                                                  | 1   | 1
          application/json                                     | 1   | 0
          text/event-stream                                    | 0   | 1
          TEXT/Event-Stream;Q=0.5                              | 0   | 0.5
          text/*                                               | 0   | 1
          text/html, application/json;q=0.9, */*;q=0.8         | 0.9 | 0.8
          */*;q=0.5, text/*;q=0                                | 0.5 | 0
          text/event-stream;q=0, */*                           | 1   | 0
          */*;q=0, application/json                            | 1   | 0
          application/*;q=0.2, application/json;q=0.1          | 0.1 | 0
          application/json;charset=utf-8 ; q=0.3               | 0.3 | 0
          application/json;q=0.1, application/json;q=0.7       | 0.7 | 0
          , ,application/json,                                 | 1   | 0
          application/json;q=2                                 | 0   | 0
          application/json;q=-1                                | 0   | 0
          application/json;q=NaN                               | 0   | 0
          application/json;q=-0                                | 0   | 0
          application/json;q=1f                                | 0   | 0
          application/json;q=1e-1                              | 0   | 0
          application/json;q=0x1p-1                            | 0   | 0
          application/json;q=0.0.1                             | 0   | 0
          application/json;q=x                                 | 0   | 0
          application/json;q=                                  | 0   | 0
          application/jsonx, xapplication/json, application    | 0   | 0
          *                                                    | 0   | 0
          application/problem+json                             | 0   | 0
          text/x;a=", text/event-stream;", application/json;q=0.5 | 0.5 | 0
          text/x;a="\\", */*", application/json                | 1   | 0
          text/x;a=", application/json                         | 1   | 0
          """)
  void theMostSpecificRangeDecides(String line, double json, double events) {
    AcceptHeader accept = accept(line);
    assertThat(accept.quality(AcceptHeader.JSON)).isEqualTo(json);
    assertThat(accept.quality(AcceptHeader.EVENT_STREAM)).isEqualTo(events);
    assertThat(accept.allows(AcceptHeader.JSON)).isEqualTo(json > 0);
  }

  @Test
  void noLineAtAllAcceptsAll() {
    assertThat(new AcceptHeader(null).allows(AcceptHeader.JSON)).isTrue();
    assertThat(accept().allows(AcceptHeader.JSON)).isTrue();
  }

  @Test
  void severalLinesAreOne() {
    AcceptHeader accept = accept("*/*;q=0", "", "text/event-stream");
    assertThat(accept.allows(AcceptHeader.EVENT_STREAM)).isTrue();
    assertThat(accept.allows(AcceptHeader.JSON)).isFalse();
  }

  private static AcceptHeader accept(String... lines) {
    return new AcceptHeader(Collections.enumeration(List.of(lines)));
  }
}
