package io.peerbroker.servlet;

import io.peerbroker.core.ListedSession;
import io.peerbroker.core.PageReader;
import io.peerbroker.core.Timer;
import io.peerbroker.json.JsonEvents;
import io.peerbroker.json.JsonWriter;
import jakarta.servlet.AsyncContext;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of the list as JSON, fetched and encoded as fast as the client reads it. A client that
 * stops reading holds no more than a piece of it, and is given up.
 */
final class ListPageWriter implements StreamWriter.Source {

  private static final int CHUNK_BYTES = 8 << 10;

  private final PageReader page;
  private final AsyncResponse response;
  private String separator = "[";
  private boolean given;

  private ListPageWriter(PageReader page, Timer timer, AsyncContext async) throws IOException {
    this.page = page;
    response = new AsyncResponse(async, this, timer);
  }

  /** Begins to write a page to a response whose headers are set. */
  static void begin(PageReader page, Duration writeTimeout, Timer timer, AsyncContext async)
      throws IOException {
    ListPageWriter list = new ListPageWriter(page, timer, async);
    list.response.watch(writeTimeout);
    list.response.start();
  }

  @Override
  public byte @Nullable [] next() {
    if (given) {
      return null;
    }
    JsonWriter chunk = new JsonWriter(CHUNK_BYTES);
    List<ListedSession> sessions;
    do {
      sessions = page.more();
      for (ListedSession session : sessions) {
        JsonEvents.write(session, chunk.ascii(separator));
        separator = ",";
      }
    } while (!sessions.isEmpty() && chunk.length() < CHUNK_BYTES);
    if (sessions.isEmpty()) {
      given = true;
      chunk.ascii(separator.equals("[") ? "[]" : "]");
    }
    return chunk.toBytes();
  }

  @Override
  public boolean isFinished() {
    return given;
  }

  @Override
  public void taken() {}

  @Override
  public void ended(StreamWriter.End end) {
    if (end == StreamWriter.End.ABANDONED) {
      response.endAtLast(response.writer::abort);
    }
  }

  @Override
  public void closed() {
    response.timeout.cancel();
  }
}
