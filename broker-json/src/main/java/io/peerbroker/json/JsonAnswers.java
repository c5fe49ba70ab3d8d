package io.peerbroker.json;

import io.peerbroker.core.Answer;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.Request;
import java.time.Duration;
import java.util.List;

/** Writes the protocol's answers, which are JSON objects. */
public final class JsonAnswers {

  /** Clients may keep the seconds in 32 bits. */
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(Integer.MAX_VALUE);

  private JsonAnswers() {}

  /**
   * Returns whether the answer to a request lists its deliveries, even if there is only one.
   *
   * @param members those that the request was read from
   */
  public static boolean isForSeveral(Request request, JsonMembers members) {
    return request instanceof Request.Send && members.optionalJson("messages") != null;
  }

  /** Returns whether an answer says only that one message was sent: the usual one. */
  public static boolean isSent(Answer answer, boolean several) {
    return !several
        && answer instanceof Answer.Delivered delivered
        && delivered.deliveries().get(0) instanceof Delivery.Sent;
  }

  /**
   * Writes an answer. A refusal is none: each transport reports it in its own way.
   *
   * @param several whether deliveries are written as a list: {@link #isForSeveral}
   * @throws IllegalArgumentException for a refusal
   */
  public static void write(Answer answer, boolean several, JsonWriter out) {
    if (answer instanceof Answer.Refused) {
      throw new IllegalArgumentException("A refusal has a form of its own.");
    }
    if (answer instanceof Answer.Pong pong) {
      out.ascii("{\"stream\":").ascii(Boolean.toString(pong.attached()));
      if (pong.lastConsumed() != null) {
        out.ascii(",\"written\":").string(pong.lastConsumed());
      }
      out.ascii("}");
    } else if (answer instanceof Answer.IceServersGiven given) {
      out.ascii("{");
      JsonEvents.write(given.configuration(), out);
      out.ascii("}");
    } else if (answer instanceof Answer.SessionOpened opened) {
      out.ascii("{\"sid\":").string(opened.sid()).ascii("}");
    } else if (answer instanceof Answer.Delivered delivered) {
      List<Delivery> deliveries = delivered.deliveries();
      if (several) {
        out.ascii("{\"deliveries\":[");
        for (int i = 0; i < deliveries.size(); i++) {
          write(deliveries.get(i), i == 0 ? out : out.ascii(","));
        }
        out.ascii("]}");
      } else {
        write(deliveries.get(0), out);
      }
    } else {
      out.ascii("{}");
    }
  }

  /** Writes a refusal: its code, its detail, and perhaps after how many seconds to try again. */
  public static void write(Refusal refusal, JsonWriter out) {
    out.ascii("{\"code\":").string(refusal.code().code());
    out.ascii(",\"detail\":").string(refusal.detail());
    Duration retryAfter = refusal.retryAfter();
    if (retryAfter != null) {
      out.ascii(",\"retryAfter\":").ascii(Long.toString(seconds(retryAfter)));
    }
    out.ascii("}");
  }

  /**
   * Returns after how many seconds a client is to try again: whole ones, at least 1, and no more
   * than 32 bits hold.
   */
  public static long seconds(Duration retryAfter) {
    // In milliseconds, the longest time that an application may give would be too large a number.
    Duration bounded = retryAfter.compareTo(LONGEST_RETRY) < 0 ? retryAfter : LONGEST_RETRY;
    return Math.max(1, (bounded.toMillis() + 999) / 1_000);
  }

  private static void write(Delivery delivery, JsonWriter out) {
    if (delivery instanceof Delivery.Refused refused) {
      Refusal refusal = refused.refusal();
      out.ascii("{\"delivery\":\"refused\",\"code\":").string(refusal.code().code());
      out.ascii(",\"detail\":").string(refusal.detail()).ascii("}");
    } else if (delivery instanceof Delivery.Queued queued) {
      out.ascii("{\"delivery\":\"queued\",\"id\":").string(queued.id()).ascii("}");
    } else {
      out.ascii("{\"delivery\":\"sent\"}");
    }
  }
}
