package org.apache.catalina;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * A response's stream under a test's control. Its package makes it count as Tomcat's, whose writes
 * may block over HTTP/2.
 */
@NullMarked
public final class FakeStream extends ServletOutputStream {

  /** Whether there is room. */
  public boolean ready = true;

  /** Runs inside each write and flush. */
  public Runnable inside = () -> {};

  /** The written texts, one for each write. */
  public final List<String> written = new ArrayList<>();

  private @Nullable WriteListener listener;

  /** Makes a stream without a listener. */
  public FakeStream() {}

  /** Calls back, as the container does when there is room. */
  public void callBack() throws IOException {
    if (listener != null) {
      listener.onWritePossible();
    }
  }

  @Override
  public boolean isReady() {
    return ready;
  }

  @Override
  public void setWriteListener(WriteListener writeListener) {
    listener = writeListener;
  }

  @Override
  public void write(byte[] bytes) {
    inside.run();
    written.add(new String(bytes, UTF_8));
  }

  @Override
  public void write(int octet) {
    throw new AssertionError("One byte at a time");
  }

  @Override
  public void flush() {
    inside.run();
  }
}
