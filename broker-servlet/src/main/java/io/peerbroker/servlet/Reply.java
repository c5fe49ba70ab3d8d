package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A short answer, complete in memory: whatever is neither a stream nor a page of the list.
 *
 * @param type the media type of the body, or null for none
 * @param headers further headers
 */
record Reply(int status, @Nullable String type, String body, Map<String, String> headers) {

  Reply(int status, @Nullable String type, String body) {
    this(status, type, body, Map.of());
  }

  static Reply json(int status, String body) {
    return new Reply(status, "application/json", body);
  }

  static Reply noContent() {
    return new Reply(204, null, "");
  }

  Reply with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Reply(status, type, body, more);
  }

  /** Puts it into the response, whose buffer it fits in, so that nothing waits for the client. */
  void write(HttpServletResponse response, boolean withBody) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    response.setStatus(status);
    response.setHeader("Cache-Control", "no-store");
    headers.forEach(response::setHeader);
    if (type != null) {
      response.setContentType(type);
      response.setContentLength(bytes.length);
      if (withBody) {
        response.getOutputStream().write(bytes);
      }
    }
  }
}
