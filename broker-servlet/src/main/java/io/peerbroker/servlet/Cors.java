package io.peerbroker.servlet;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Set;

/** Admits pages of other origins, if any are allowed (WHATWG Fetch, section 3.2). */
final class Cors {

  private static final String MAX_AGE_SECONDS = "600";

  private final Set<String> origins;
  private final String headers;

  Cors(HttpSettings settings) {
    origins = settings.allowedOrigins();
    headers = String.join(", ", settings.allowedHeaders());
  }

  /** Sets the headers that every answer carries. */
  void apply(HttpServletRequest request, HttpServletResponse response) {
    if (origins.isEmpty()) {
      return;
    }
    if (origins.contains("*")) {
      response.setHeader("Access-Control-Allow-Origin", "*");
    } else {
      // A cache must keep the answers to different origins apart, and apart from those to no
      // origin.
      response.addHeader("Vary", "Origin");
      String origin = request.getHeader("Origin");
      if (origin == null || !origins.contains(origin)) {
        return;
      }
      response.setHeader("Access-Control-Allow-Origin", origin);
      response.setHeader("Access-Control-Allow-Credentials", "true");
    }
    response.setHeader("Access-Control-Expose-Headers", "Link, Retry-After");
  }

  /** Adds what a preflight asks for, if {@link #apply} has admitted its origin. */
  Reply preflight(
      HttpServletRequest request, HttpServletResponse response, Reply reply, String methods) {
    if (request.getHeader("Origin") == null
        || request.getHeader("Access-Control-Request-Method") == null
        || !response.containsHeader("Access-Control-Allow-Origin")) {
      return reply;
    }
    return reply
        .with("Access-Control-Allow-Methods", methods)
        .with("Access-Control-Allow-Headers", headers)
        .with("Access-Control-Max-Age", MAX_AGE_SECONDS);
  }
}
