package io.peerbroker.servlet;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A short answer, complete in memory: anything except a stream and a page of the list.
 *
 * @param type the content type of the body, or null for none
 * @param body null for a body that HEAD does not report, nor its length
 * @param headers further headers
 */
@SuppressWarnings("ArrayRecordComponent") // replies are never compared or changed
record Reply(
    int status, @Nullable String type, byte @Nullable [] body, Map<String, String> headers) {

  /** Follows a media type, whatever encoding a filter has set before. */
  static final String UTF_8 = ";charset=utf-8";

  static final String JSON = AcceptHeader.JSON + UTF_8;

  Reply(int status, @Nullable String type, byte @Nullable [] body) {
    this(status, type, body, Map.of());
  }

  static Reply json(int status, byte[] body) {
    return new Reply(status, JSON, body);
  }

  static Reply noContent() {
    return new Reply(204, null, new byte[0]);
  }

  /** The answer to HEAD for a body of this type. */
  static Reply head(String type) {
    return new Reply(200, type, null);
  }

  Reply with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Reply(status, type, body, more);
  }

  /**
   * Puts it into the response, on the request's own thread; the response's buffer holds it, so that
   * nothing waits for the client. Only a file of the client may be larger: a servlet without
   * asynchronous requests, which serves no stream either, may wait with it.
   */
  void write(HttpServletResponse response, boolean withBody) throws IOException {
    writeHead(response);
    if (type != null && withBody) {
      response.getOutputStream().write(bytes());
    }
  }

  /** Sets the status and the headers. */
  void writeHead(HttpServletResponse response) {
    response.setStatus(status);
    response.setHeader("Cache-Control", "no-store");
    headers.forEach(response::setHeader);
    if (type != null) {
      response.setContentType(type);
      if (body != null) {
        response.setContentLength(body.length);
      }
    }
  }

  /** The size of the body in bytes. */
  int length() {
    return body == null ? 0 : body.length;
  }

  /** The body; empty where there is none. */
  byte[] bytes() {
    return body == null ? new byte[0] : body;
  }
}
