package io.peerbroker.it.common;

import io.peerbroker.tck.ServerSettings.Front;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;

/**
 * The filter in front of the broker that a test asks for.
 *
 * @param front what it does
 */
public record FrontFilter(Front front) implements Filter {

  /** Whether the container must be told that it supports asynchronous requests. */
  public boolean asyncSupported() {
    return front != Front.NO_ASYNC;
  }

  /** Hands the request on, wrapped as the front demands. */
  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    HttpServletRequest http = (HttpServletRequest) request;
    switch (front) {
      case WRAPPING -> wrap(request, response, chain);
      case ENCODING -> {
        response.setContentType("text/html;charset=ISO-8859-1");
        response.setCharacterEncoding("ISO-8859-1");
        chain.doFilter(request, response);
      }
      case BODY_COPIED ->
          chain.doFilter(
              new OwnBody(
                  http,
                  new OwnStream(new ByteArrayInputStream(request.getInputStream().readAllBytes()))),
              response);
      case BODY_REWRITTEN -> {
        StringWriter text = new StringWriter();
        request.getReader().transferTo(text);
        byte[] longer = (text + "   ").getBytes(StandardCharsets.UTF_8);
        chain.doFilter(
            new OwnBody(http, new OwnStream(new ByteArrayInputStream(longer))), response);
      }
      case BODY_COUNTED ->
          chain.doFilter(new OwnBody(http, new OwnStream(request.getInputStream())), response);
      case NOTHING, NO_ASYNC -> chain.doFilter(request, response);
    }
  }

  private static void wrap(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    Wrapper wrapper = new Wrapper((HttpServletResponse) response);
    chain.doFilter(request, wrapper);
    // Later bytes are lost, as with a compressor that is closed here.
    byte[] bytes = wrapper.held.bytes.toByteArray();
    if (bytes.length > 0) {
      response.getOutputStream().write(bytes);
    }
  }

  private static final class OwnBody extends HttpServletRequestWrapper {

    private final OwnStream body;

    OwnBody(HttpServletRequest request, OwnStream body) {
      super(request);
      this.body = body;
    }

    @Override
    public ServletInputStream getInputStream() {
      return body;
    }
  }

  /** As they are copied from page to page: one method that works, and three that do not. */
  @SuppressWarnings("InputStreamSlowMultibyteRead") // that is what they do
  private static final class OwnStream extends ServletInputStream {

    private final InputStream from;

    OwnStream(InputStream from) {
      this.from = from;
    }

    @Override
    public int read() throws IOException {
      return from.read();
    }

    @Override
    public boolean isFinished() {
      return false;
    }

    @Override
    public boolean isReady() {
      return false;
    }

    @Override
    public void setReadListener(ReadListener listener) {
      throw new UnsupportedOperationException("A filter's own stream");
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
