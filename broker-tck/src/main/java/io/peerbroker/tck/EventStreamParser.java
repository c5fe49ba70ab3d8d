package io.peerbroker.tck;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * A reader of {@code text/event-stream}, written from the WHATWG's text (HTML, "Parsing an event
 * stream" and "Interpreting an event stream") and from nothing else, so that it can judge the
 * writers of such streams.
 *
 * <p>Bytes go in as they come, in pieces of any size, and items come out as soon as they are
 * certain. An event that no empty line has ended by the end of the stream is never reported, as the
 * text demands. Beyond the text it reports comments, and lines that a reader ignores according to
 * the text. Not safe for use by several threads.
 */
public final class EventStreamParser {

  /** What a stream says. */
  public sealed interface Item permits Event, Comment, Retry, Ignored {}

  /**
   * An event, dispatched.
   *
   * @param name its type, {@code message} if the stream gave none
   * @param data its data lines, with a line feed between any two
   * @param lastEventId the last id that the stream gave, with this event or before; empty if none
   */
  public record Event(String name, String data, String lastEventId) implements Item {}

  /**
   * A line that begins with a colon.
   *
   * @param text what stands behind the colon
   */
  public record Comment(String text) implements Item {}

  /**
   * A new reconnection time.
   *
   * @param millis the time, in milliseconds
   */
  public record Retry(long millis) implements Item {}

  /**
   * A line that says nothing: a field of an unknown name, a {@code retry} that is no number, an
   * {@code id} with a NUL, or a block of lines that ended without data, and so was no event.
   *
   * @param line the line, or the name of the event that had no data
   */
  public record Ignored(String line) implements Item {}

  private static final int CR = '\r';
  private static final int LF = '\n';
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private final Consumer<Item> sink;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final StringBuilder data = new StringBuilder();
  private String eventType = "";
  private String lastEventId = "";
  private boolean first = true;
  private boolean afterCr;

  /**
   * Starts at the beginning of a stream.
   *
   * @param sink called with each item, within {@link #feed}
   */
  public EventStreamParser(Consumer<Item> sink) {
    this.sink = sink;
  }

  /** Takes the next bytes of the stream. */
  public void feed(byte[] bytes, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      feed(bytes[i]);
    }
  }

  // Lines are cut before they are decoded: neither CR nor LF is ever a part of another character's
  // UTF-8.
  private void feed(byte b) {
    boolean endsCrLf = afterCr && b == LF;
    afterCr = b == CR;
    if (endsCrLf) {
      return;
    }
    if (b != CR && b != LF) {
      line.write(b);
      return;
    }
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    interpret(first && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text);
    first = false;
  }

  private void interpret(String text) {
    int colon = text.indexOf(':');
    if (text.isEmpty()) {
      dispatch();
    } else if (colon == 0) {
      sink.accept(new Comment(text.substring(1)));
    } else if (colon < 0) {
      field(text, "", text);
    } else {
      int value = text.startsWith(" ", colon + 1) ? colon + 2 : colon + 1;
      field(text.substring(0, colon), text.substring(value), text);
    }
  }

  private void field(String name, String value, String text) {
    if (name.equals("event")) {
      eventType = value;
    } else if (name.equals("data")) {
      data.append(value).append('\n');
    } else if (name.equals("id") && value.indexOf('\0') < 0) {
      lastEventId = value;
    } else if (name.equals("retry") && value.matches("[0-9]{1,18}")) {
      sink.accept(new Retry(Long.parseLong(value)));
    } else {
      sink.accept(new Ignored(text));
    }
  }

  private void dispatch() {
    if (!data.isEmpty()) {
      String name = eventType.isEmpty() ? "message" : eventType;
      sink.accept(new Event(name, data.substring(0, data.length() - 1), lastEventId));
    } else if (!eventType.isEmpty()) {
      sink.accept(new Ignored(eventType));
    }
    data.setLength(0);
    eventType = "";
  }
}
