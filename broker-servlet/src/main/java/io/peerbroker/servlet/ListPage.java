package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Page;
import java.io.ByteArrayOutputStream;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** A page of the list as JSON, made as fast as the client reads it. */
final class ListPage implements StreamWriter.Source {

  private static final int CHUNK_BYTES = 8 << 10;

  private final Iterator<ListedSession> sessions;
  private String separator = "[";
  private boolean ended;

  ListPage(Page page) {
    sessions = page.sessions().iterator();
  }

  @Override
  public byte @Nullable [] next() {
    if (ended) {
      return null;
    }
    ByteArrayOutputStream chunk = new ByteArrayOutputStream(CHUNK_BYTES);
    while (sessions.hasNext() && chunk.size() < CHUNK_BYTES) {
      chunk.writeBytes(Wire.session(separator, sessions.next()));
      separator = ",";
    }
    if (!sessions.hasNext()) {
      ended = true;
      chunk.writeBytes((separator.equals("[") ? "[]" : "]").getBytes(US_ASCII));
    }
    return chunk.toByteArray();
  }

  @Override
  public boolean isFinished() {
    return ended;
  }

  @Override
  public void taken() {}

  @Override
  public void ended(StreamWriter.End end) {}

  @Override
  public void closed() {}
}
