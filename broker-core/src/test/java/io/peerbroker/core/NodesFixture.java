package io.peerbroker.core;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Brokers that are nodes, and other nodes of which they are told. */
final class NodesFixture {

  static final byte[] KEY = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  private NodesFixture() {}

  /** A builder of a node whose other nodes may tell it much. */
  static BrokerBuilder node(int tag) {
    return node(tag, 1 << 30);
  }

  static BrokerBuilder node(int tag, long maxForeignBytes) {
    return Broker.builder()
        .sessionRate(Limits.Rate.UNLIMITED)
        .node(new Node(new Ids(tag), new PageCursors(KEY), maxForeignBytes));
  }

  static ListPosition position(ForeignSessions.Told told) {
    return new ListPosition(told.created(), Ids.tagOf(told.id()));
  }

  /** Another node: it creates sessions, and knows those that it has. */
  static final class Other {
    final int tag;
    final Ids ids;
    final Map<String, ForeignSessions.Told> sessions = new LinkedHashMap<>();
    private long numbers;
    private long clock;

    /** What it tells a node at present. */
    ForeignSessions.Telling telling;

    Other(int tag, ForeignSessions listener) {
      this.tag = tag;
      ids = new Ids(tag);
      telling = listener.begin(tag);
    }

    /** Creates a session some time later, and tells nobody. */
    ForeignSessions.Told create(long later, String... tags) {
      return create(later, List.of(tags), Json.NULL);
    }

    ForeignSessions.Told create(long later, List<String> tags, Json metadata) {
      clock += later;
      ForeignSessions.Told created =
          new ForeignSessions.Told(
              ids.id(), ++numbers, clock, 0, new SessionSpec(tags, true, metadata));
      sessions.put(created.id(), created);
      return created;
    }

    /** Changes a session or its hop, and tells nobody. */
    ForeignSessions.Told change(String id, int hop, List<String> tags, Json metadata) {
      ForeignSessions.Told before = sessions.get(id);
      ForeignSessions.Told changed =
          new ForeignSessions.Told(
              id, before.number(), before.created(), hop, new SessionSpec(tags, true, metadata));
      sessions.put(id, changed);
      return changed;
    }
  }
}
