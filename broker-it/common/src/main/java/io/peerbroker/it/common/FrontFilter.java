package io.peerbroker.it.common;

import io.peerbroker.tck.ServerSettings.Front;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * The filter in front of the broker that a test asks for.
 *
 * @param front what it does
 */
public record FrontFilter(Front front) implements Filter {

  /** Whether the container is to be told that it supports asynchronous requests. */
  public boolean asyncSupported() {
    return front != Front.NO_ASYNC;
  }

  /** Hands on, with what belongs to {@link Front#WRAPPING} around it. */
  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (front != Front.WRAPPING) {
      chain.doFilter(request, response);
      return;
    }
    Wrapper wrapper = new Wrapper((HttpServletResponse) response);
    chain.doFilter(request, wrapper);
    // Nobody asks it for what comes later, as nobody asks a compressor that is closed here.
    byte[] bytes = wrapper.held.bytes.toByteArray();
    if (bytes.length > 0) {
      response.getOutputStream().write(bytes);
    }
  }

  private static final class Wrapper extends HttpServletResponseWrapper {

    final Held held = new Held();

    Wrapper(HttpServletResponse response) {
      super(response);
    }

    @Override
    public ServletOutputStream getOutputStream() {
      return held;
    }

    @Override
    public void flushBuffer() {}
  }

  private static final class Held extends ServletOutputStream {

    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      throw new UnsupportedOperationException("A filter's own stream, which is written at once");
    }

    @Override
    public void write(int b) {
      bytes.write(b);
    }
  }
}
