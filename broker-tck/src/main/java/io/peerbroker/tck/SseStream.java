package io.peerbroker.tck;

import io.peerbroker.tck.EventStreamParser.Comment;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.EventStreamParser.Ignored;
import io.peerbroker.tck.EventStreamParser.Item;
import io.peerbroker.tck.EventStreamParser.Retry;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A client's end of an event stream.
 *
 * <p>It has no thread: it reads while a caller waits for something, so a stream without a waiting
 * caller is a reader that stalls. Not safe for use by several threads.
 */
public final class SseStream implements AutoCloseable {

  /** How a stream ended. */
  public enum End {
    /** The server ended the answer as HTTP asks. */
    COMPLETE,
    /** The connection ended in the middle of the answer. */
    CUT,
    /** The connection was reset. */
    RESET
  }

  private final WireConnection connection;
  private final WireResponse head;
  private final EventStreamParser parser;
  private final byte[] piece = new byte[8 * 1024];
  private final List<Event> events = new ArrayList<>();
  private final List<Item> others = new ArrayList<>();
  private int next;
  private @Nullable End end;

  /** Takes over a connection of which only the head of the answer has been read. */
  SseStream(WireConnection connection, WireResponse head) {
    this.connection = connection;
    this.head = head;
    this.parser =
        new EventStreamParser(
            item -> {
              if (item instanceof Event event) {
                events.add(event);
              } else {
                others.add(item);
              }
            });
  }

  /** The status and the headers that the stream began with. */
  public WireResponse head() {
    return head;
  }

  /** Waits for the next event. */
  public Event next() {
    return await(event -> true);
  }

  /** Waits for the next event of this name; events of other names before it are skipped. */
  public Event await(String name) {
    return await(event -> event.name().equals(name));
  }

  /** Waits for the next event that passes; events before it are skipped. */
  public Event await(Predicate<Event> wanted) {
    return await(wanted, WireConnection.BOUND);
  }

  /** Waits for the next event that passes, within a bound; events before it are skipped. */
  public Event await(Predicate<Event> wanted, Duration bound) {
    connection.reader().within(bound);
    while (true) {
      while (next < events.size()) {
        Event event = events.get(next++);
        if (wanted.test(event)) {
          return event;
        }
      }
      read();
    }
  }

  /** Waits for the next event; null when the stream has ended before it. */
  public @Nullable Event nextUnlessEnded() {
    connection.reader().within(WireConnection.BOUND);
    while (next == events.size() && end == null) {
      read();
    }
    return next < events.size() ? events.get(next++) : null;
  }

  /** Waits until so many comments have come since the beginning. */
  public void awaitComments(int count) {
    connection.reader().within(WireConnection.BOUND);
    while (comments().size() < count) {
      read();
    }
  }

  /** Waits for the end of the stream. */
  public End awaitEnd() {
    connection.reader().within(WireConnection.BOUND);
    while (true) {
      End ended = end;
      if (ended != null) {
        return ended;
      }
      read();
    }
  }

  /** Every event that has been read, from the first on. */
  public List<Event> events() {
    return List.copyOf(events);
  }

  /**
   * The id that a client presents to go on after the last event it has read; empty if there is
   * none.
   */
  public String lastEventId() {
    return events.isEmpty() ? "" : events.get(events.size() - 1).lastEventId();
  }

  /** The comments that have been read. */
  public List<String> comments() {
    return others.stream()
        .filter(Comment.class::isInstance)
        .map(item -> ((Comment) item).text())
        .toList();
  }

  /** The reconnection times that have been read, in milliseconds. */
  public List<Long> retries() {
    return others.stream()
        .filter(Retry.class::isInstance)
        .map(item -> ((Retry) item).millis())
        .toList();
  }

  /** The lines that have been read and that a client ignores. */
  public List<String> ignored() {
    return others.stream()
        .filter(Ignored.class::isInstance)
        .map(item -> ((Ignored) item).line())
        .toList();
  }

  /** Ends the stream in order, from this side. */
  @Override
  public void close() {
    connection.close();
  }

  /**
   * Ends the stream in order, with nothing received left unread: the system would turn that into a
   * reset. So this happens between two heartbeats; nothing else may be under way.
   */
  public void closeDrained() {
    int seen = comments().size();
    awaitComments(seen + 1);
    try {
      connection.reader().finishChunk();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    close();
  }

  /** Breaks the connection off (RST). */
  public void reset() {
    connection.reset();
  }

  /** The connection beneath, for tests that treat it badly. */
  public WireConnection connection() {
    return connection;
  }

  private void read() {
    if (end != null) {
      throw new AssertionError("The stream has ended (" + end + ") after " + described());
    }
    try {
      int n = connection.reader().readBody(piece);
      if (n < 0) {
        end = End.COMPLETE;
      } else {
        parser.feed(piece, 0, n);
      }
    } catch (EOFException e) {
      end = End.CUT;
    } catch (SocketTimeoutException e) {
      throw new AssertionError("What was waited for did not come after " + described(), e);
    } catch (SocketException e) {
      end = End.RESET;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String described() {
    List<Event> last = events.subList(Math.max(0, events.size() - 5), events.size());
    return events.size() + " events, at last " + last + ", and " + others.size() + " other lines";
  }
}
