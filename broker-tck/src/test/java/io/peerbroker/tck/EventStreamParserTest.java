package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.tck.EventStreamParser.Comment;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.EventStreamParser.Ignored;
import io.peerbroker.tck.EventStreamParser.Item;
import io.peerbroker.tck.EventStreamParser.Retry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Literal streams, among them the examples of the WHATWG's text, and what a browser makes of each.
 */
final class EventStreamParserTest {

  @Test
  void theTextsFirstExampleIsOneEventOfThreeLines() {
    assertThat(parse("data: YHOO\ndata: +2\ndata: 10\n\n"))
        .containsExactly(new Event("message", "YHOO\n+2\n10", ""));
  }

  @Test
  @DisplayName("The standard's second example is a comment, two events and an unfinished one.")
  void theSecondExampleOfTheStandard() {
    String stream =
        ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n";
    assertThat(parse(stream))
        .containsExactly(
            new Comment(" test stream"),
            new Event("message", "first event", "1"),
            new Event("message", "second event", ""));
  }

  @Test
  @DisplayName("The standard's third example is two events and an unfinished one.")
  void theThirdExampleOfTheStandard() {
    assertThat(parse("data\n\ndata\ndata\n\ndata:"))
        .containsExactly(new Event("message", "", ""), new Event("message", "\n", ""));
  }

  @Test
  void theTextsFourthExampleIsTwoEqualEvents() {
    assertThat(parse("data:test\n\ndata: test\n\n"))
        .containsExactly(new Event("message", "test", ""), new Event("message", "test", ""));
  }

  @Test
  void linesEndWithLfOrCrOrBoth() {
    assertThat(parse("data:a\r\ndata:b\rdata:c\n\r\n\rdata:d\r\r"))
        .containsExactly(new Event("message", "a\nb\nc", ""), new Event("message", "d", ""));
  }

  @Test
  void aCrEndsItsLineWithoutWaitingForAnLf() {
    List<Item> items = new ArrayList<>();
    EventStreamParser parser = new EventStreamParser(items::add);
    parser.feed("data:a\r\r".getBytes(UTF_8), 0, 8);
    assertThat(items).containsExactly(new Event("message", "a", ""));
    parser.feed("\ndata:b\n\n".getBytes(UTF_8), 0, 9);
    assertThat(items).hasSize(2).endsWith(new Event("message", "b", ""));
  }

  @Test
  void otherLineBreaksAreData() {
    assertThat(parse("data:a\u2028b\u2029c\u0085d\u000be\n\n"))
        .containsExactly(new Event("message", "a\u2028b\u2029c\u0085d\u000be", ""));
  }

  @Test
  void anEventTypeHoldsForOneEventOnly() {
    assertThat(parse("event: add\ndata: 1\n\ndata: 2\n\n"))
        .containsExactly(new Event("add", "1", ""), new Event("message", "2", ""));
  }

  @Test
  void theLastOfTwoEventTypesCounts() {
    assertThat(parse("event: a\nevent: b\ndata: 1\n\nevent: a\nevent\ndata: 2\n\n"))
        .containsExactly(new Event("b", "1", ""), new Event("message", "2", ""));
  }

  @Test
  void whatHasNoDataIsNoEvent() {
    assertThat(parse("event: add\n\ndata: 1\n\n"))
        .containsExactly(new Ignored("add"), new Event("message", "1", ""));
  }

  @Test
  void onlyOneSpaceIsDroppedAndOnlyASpace() {
    assertThat(parse("data:  a\n\ndata:\tb\n\ndata : c\n\n"))
        .containsExactly(
            new Event("message", " a", ""),
            new Event("message", "\tb", ""),
            new Ignored("data : c"));
  }

  @Test
  void fieldNamesAreExact() {
    assertThat(parse("Data: a\n data: b\ndat: c\n\n"))
        .containsExactly(new Ignored("Data: a"), new Ignored(" data: b"), new Ignored("dat: c"));
  }

  @Test
  void anIdStaysUntilAnotherIsGiven() {
    assertThat(parse("id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid\ndata: d\n\n"))
        .containsExactly(
            new Event("message", "a", "1"),
            new Event("message", "b", "1"),
            new Event("message", "c", "2"),
            new Event("message", "d", ""));
  }

  @Test
  void anIdWithNulIsIgnored() {
    assertThat(parse("id: 1\nid: 2\0\ndata: a\n\n"))
        .containsExactly(new Ignored("id: 2\0"), new Event("message", "a", "1"));
  }

  @Test
  void aRetryIsDigitsAndNothingElse() {
    assertThat(parse("retry: 3000\nretry:05\nretry: +1\nretry: 1.5\nretry: ٣\nretry\nretry: 1 \n"))
        .containsExactly(
            new Retry(3000),
            new Retry(5),
            new Ignored("retry: +1"),
            new Ignored("retry: 1.5"),
            new Ignored("retry: ٣"),
            new Ignored("retry"),
            new Ignored("retry: 1 "));
  }

  @Test
  void oneByteOrderMarkIsDroppedAndOnlyAtTheStart() {
    assertThat(parse("\uFEFFdata: a\n\n")).containsExactly(new Event("message", "a", ""));
    assertThat(parse("\uFEFF\uFEFFdata: a\n\n")).containsExactly(new Ignored("\uFEFFdata: a"));
    assertThat(parse("\n\uFEFFdata: a\n\n")).containsExactly(new Ignored("\uFEFFdata: a"));
  }

  @Test
  void whatIsNoUtf8IsReplaced() {
    byte[] stream = {'d', 'a', 't', 'a', ':', 'a', (byte) 0xC3, '\n', '\n'};
    List<Item> items = new ArrayList<>();
    new EventStreamParser(items::add).feed(stream, 0, stream.length);
    assertThat(items).containsExactly(new Event("message", "a\uFFFD", ""));
  }

  /** Reads the stream whole and byte by byte: the places of the cuts must make no difference. */
  private static List<Item> parse(String stream) {
    byte[] bytes = stream.getBytes(UTF_8);
    List<Item> whole = new ArrayList<>();
    new EventStreamParser(whole::add).feed(bytes, 0, bytes.length);
    List<Item> pieces = new ArrayList<>();
    EventStreamParser parser = new EventStreamParser(pieces::add);
    for (int i = 0; i < bytes.length; i++) {
      parser.feed(bytes, i, 1);
    }
    assertThat(pieces).isEqualTo(whole);
    return whole;
  }
}
