package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that a channel is, taken out of one broker so that another one, or the same, can continue it.
 * Refers to nothing of the broker that it comes from, and holds no time of its clock: what was left
 * of a time when the channel was taken out is left of it when the channel goes on.
 *
 * @param key the channel's key; like the secret, it must never be logged
 * @param secret the secret part of the events' ids
 * @param owner the name of the login that opened it; null if there was none
 * @param resume the grace, as its client was told
 * @param lease the lease, as its client was told
 * @param grace how much of the grace is left; all of it if a stream was attached
 * @param messageTokens what the channel has earned of its message rate: {@link TokenBucket#earned}
 * @param sessionTokens the same of its session rate
 * @param lastAnswer the answer to its last numbered request; null if there was no such request
 */
record ChannelState(
    String cid,
    String key,
    String secret,
    @Nullable String owner,
    Duration resume,
    Duration lease,
    Duration grace,
    long messageTokens,
    long sessionTokens,
    Queue queue,
    List<MovedSession> sessions,
    Lists lists,
    @Nullable Answered lastAnswer) {

  /** The approximate bytes of the objects around an event, a session, and the channel. */
  private static final int OVERHEAD = 64;

  ChannelState {
    sessions = List.copyOf(sessions);
  }

  /**
   * An {@link Outbox}.
   *
   * @param seen the number of the last event that the reader has seen; the events begin after it
   * @param lastNumber the number of the last event that was added
   * @param lastGiven the highest number that was ever polled
   * @param lastConsumed the number of the last event that the network has taken; those of the
   *     events up to it are kept for replay, and the others wait
   * @param confirmed the number of the last event that the reader has confirmed
   * @param lastDropped the number of the last event that is no longer kept
   * @param lastInReplay the last event that counts against the replay budget
   */
  record Queue(
      long seen,
      long lastNumber,
      long lastGiven,
      long lastConsumed,
      long confirmed,
      long lastDropped,
      long lastInReplay,
      List<NumberedEvent> events) {

    Queue {
      events = List.copyOf(events);
    }
  }

  /**
   * An event in the queue.
   *
   * @param receipt the id in the answer to the sender, which must be notified if the event is not
   *     delivered; null if it needs no notice
   */
  record NumberedEvent(Event event, long number, @Nullable String receipt) {}

  /** A session of the channel. */
  record MovedSession(String sid, SessionState state) {}

  /**
   * The lists that the channel's stream carries.
   *
   * @param open begin anew on the next stream, as after any other that has broken
   * @param ended the ends of which the next stream notifies the client again
   */
  record Lists(List<OpenList> open, List<Event.Unwatched> ended) {

    /** No list. */
    static final Lists NONE = new Lists(List.of(), List.of());

    Lists {
      open = List.copyOf(open);
      ended = List.copyOf(ended);
    }
  }

  /** A list under the name that its client has given it. */
  record OpenList(String name, ParsedFilter filter) {}

  /**
   * The last numbered request.
   *
   * @param answer null if the request was still being performed when the channel was taken out
   */
  record Answered(long seq, @Nullable Answer answer) {}

  /** Returns the approximate bytes of heap that it takes. */
  long bytes() {
    long bytes = 4L * OVERHEAD + 2L * (cid.length() + key.length() + secret.length());
    for (NumberedEvent each : queue.events()) {
      bytes += OVERHEAD + each.event().size();
    }
    for (MovedSession each : sessions) {
      bytes += OVERHEAD + each.state().bytes();
    }
    for (OpenList each : lists.open()) {
      bytes += OVERHEAD + 2L * (each.name().length() + each.filter().toString().length());
    }
    for (Event.Unwatched each : lists.ended()) {
      bytes += each.size();
    }
    if (lastAnswer != null && lastAnswer.answer() instanceof Answer.Delivered delivered) {
      bytes += (long) OVERHEAD * delivered.deliveries().size();
    }
    return bytes;
  }

  /** Returns the channel's id and the sizes; the rest is secret, or for nobody's logs. */
  @Override
  public String toString() {
    return "ChannelState[%s, %d events, %d sessions]"
        .formatted(cid, queue.events().size(), sessions.size());
  }
}
