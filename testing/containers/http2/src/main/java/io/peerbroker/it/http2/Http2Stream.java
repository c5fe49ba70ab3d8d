package io.peerbroker.it.http2;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.peerbroker.tck.EventStreamParser;
import io.peerbroker.tck.EventStreamParser.Comment;
import io.peerbroker.tck.EventStreamParser.Event;
import io.peerbroker.tck.EventStreamParser.Retry;
import io.peerbroker.tck.WireConnection;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * One stream over HTTP/2. It reads while a caller waits for something; otherwise its window closes.
 */
public final class Http2Stream implements Stream.Listener {

  private final CompletableFuture<Integer> status = new CompletableFuture<>();
  private final Semaphore changes = new Semaphore(0);
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private final Deque<Event> events = new ArrayDeque<>();
  private int comments;
  private int retries;
  private final EventStreamParser parser =
      new EventStreamParser(
          item -> {
            if (item instanceof Event event) {
              events.add(event);
            } else if (item instanceof Comment) {
              comments++;
            } else if (item instanceof Retry) {
              retries++;
            }
          });
  private volatile @Nullable Stream stream;
  private volatile boolean ended;
  private volatile boolean broken;

  Http2Stream() {}

  void began(Stream begun) {
    stream = begun;
  }

  Stream stream() {
    return Objects.requireNonNull(stream);
  }

  /** The status of the answer, once it has come. */
  public int status() {
    return Http2Client.within(status);
  }

  /** Waits for the next event, which must have this name, and reads its data. */
  public JsonObject next(String name) {
    readUntil(() -> !events.isEmpty());
    Event event = events.remove();
    if (!event.name().equals(name)) {
      throw new AssertionError("Not " + name + ", but " + event);
    }
    return JsonParser.parseString(event.data()).getAsJsonObject();
  }

  /** Waits for so many comments from the beginning on. */
  public void awaitComments(int count) {
    readUntil(() -> comments >= count);
  }

  /** Waits for the proper end of the answer, and returns its body. */
  public String awaitEnd() {
    readUntil(() -> ended);
    return body.toString(UTF_8);
  }

  /** How many reconnection times have been read. */
  public int retries() {
    return retries;
  }

  /** Gives the stream up ({@code RST_STREAM}). */
  public void reset() {
    ResetFrame frame = new ResetFrame(stream().getId(), ErrorCode.CANCEL_STREAM_ERROR.code);
    Http2Client.within(stream().reset(frame));
  }

  private void readUntil(BooleanSupplier enough) {
    long deadline = System.nanoTime() + WireConnection.BOUND.toNanos();
    while (!enough.getAsBoolean()) {
      Stream.Data data = stream().readData();
      if (data != null) {
        read(data);
      } else {
        if (ended || broken) {
          throw new AssertionError("The stream is over: " + this);
        }
        stream().demand();
        awaitChange(deadline - System.nanoTime());
      }
    }
  }

  private void awaitChange(long nanos) {
    try {
      if (!changes.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
        throw new AssertionError("What was waited for did not come: " + this);
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void read(Stream.Data data) {
    ByteBuffer buffer = data.frame().getByteBuffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    ended |= data.frame().isEndStream();
    data.release();
    body.writeBytes(bytes);
    parser.feed(bytes, 0, bytes.length);
  }

  @Override
  public void onHeaders(Stream from, HeadersFrame frame) {
    if (frame.getMetaData() instanceof MetaData.Response response) {
      status.complete(response.getStatus());
    }
    ended |= frame.isEndStream();
    changes.release();
  }

  @Override
  public void onDataAvailable(Stream from) {
    changes.release();
  }

  @Override
  public void onReset(Stream from, ResetFrame frame, Callback callback) {
    broken = true;
    callback.succeeded();
    changes.release();
  }

  @Override
  public void onFailure(
      Stream from, int error, String reason, Throwable failure, Callback callback) {
    broken = true;
    callback.succeeded();
    changes.release();
  }

  /** Returns its state, for a failure's text. */
  @Override
  public String toString() {
    return "%s, %d bytes read, %d events waiting%s%s"
        .formatted(
            stream, body.size(), events.size(), ended ? ", ended" : "", broken ? ", broken" : "");
  }
}
