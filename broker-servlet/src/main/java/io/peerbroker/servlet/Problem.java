package io.peerbroker.servlet;

import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.json.JsonAnswers;
import io.peerbroker.json.JsonWriter;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A refusal in the form of HTTP: application/problem+json (RFC 9457).
 *
 * <p>Thrown from wherever a request turns out wrong; it carries no stack trace, since it is an
 * answer.
 */
final class Problem extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private static final Map<Integer, String> TITLES =
      Map.ofEntries(
          Map.entry(400, "Bad Request"),
          Map.entry(403, "Forbidden"),
          Map.entry(404, "Not Found"),
          Map.entry(405, "Method Not Allowed"),
          Map.entry(406, "Not Acceptable"),
          Map.entry(408, "Request Timeout"),
          Map.entry(413, "Content Too Large"),
          Map.entry(415, "Unsupported Media Type"),
          Map.entry(426, "Upgrade Required"),
          Map.entry(429, "Too Many Requests"),
          Map.entry(500, "Internal Server Error"),
          Map.entry(503, "Service Unavailable"));

  private final int status;
  private final String code;
  private final String detail;
  private final transient @Nullable Duration retryAfter;

  Problem(int status, String code, String detail) {
    this(status, code, detail, null);
  }

  private Problem(int status, String code, String detail, @Nullable Duration retryAfter) {
    super(detail, null, false, false);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  static Problem of(Refusal refusal) {
    return new Problem(
        status(refusal.code()), refusal.code().code(), refusal.detail(), refusal.retryAfter());
  }

  static Problem of(RefusedException refused) {
    return of(refused.refusal());
  }

  static Problem invalidRequest(String detail) {
    return new Problem(400, "invalid_request", detail);
  }

  static Problem internal() {
    return new Problem(500, "internal", "The broker failed; its log says more.");
  }

  private static int status(Refusal.Code code) {
    return switch (code) {
      case MALFORMED_JSON, INVALID_REQUEST, INVALID_FILTER, INVALID_TAG -> 400;
      case WRONG_KEY, DENIED -> 403;
      case UNKNOWN_CHANNEL, UNKNOWN_SESSION, UNKNOWN_TARGET -> 404;
      case TOO_LARGE -> 413;
      case RATE_LIMITED, TARGET_BUSY, TOO_MANY_SESSIONS, TOO_MANY_WATCHES -> 429;
      case INTERNAL -> 500;
      case AT_CAPACITY, SHUTTING_DOWN -> 503;
    };
  }

  /** The answer that carries it. */
  Reply reply() {
    JsonWriter body = new JsonWriter(256).ascii("{\"type\":\"about:blank\",\"title\":");
    body.string(TITLES.getOrDefault(status, "")).ascii(",\"status\":" + status);
    body.ascii(",\"code\":").string(code);
    body.ascii(",\"detail\":").string(detail).ascii("}");
    Reply reply = new Reply(status, "application/problem+json" + Reply.UTF_8, body.toBytes());
    if (retryAfter == null) {
      return reply;
    }
    return reply.with("Retry-After", Long.toString(JsonAnswers.seconds(retryAfter)));
  }
}
