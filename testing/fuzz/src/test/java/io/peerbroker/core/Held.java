package io.peerbroker.core;

/** The state that a broker holds, for targets outside this package. */
public final class Held {

  private Held() {}

  /** The channels that have a permit, the watches, and the bytes of all queues together. */
  public static String by(Broker broker) {
    LocalBroker local = (LocalBroker) broker;
    int sessions = local.directory.channels().stream().mapToInt(c -> c.sessions().size()).sum();
    OpenStreams streams = local.streams;
    int permits = streams.channels.taken() + streams.ownChannels.taken();
    return "%d permits, %d sessions, %d bytes"
        .formatted(permits, sessions, local.budgets.queues.used());
  }

  /** Reads an event id and writes it again, or returns null for a text that is no event id. */
  public static @org.jspecify.annotations.Nullable String readAndWrite(String eventId) {
    ResumeId id = ResumeId.parse(eventId);
    return id == null ? null : ResumeId.prefix(id.cid(), id.secret()) + id.number();
  }
}
