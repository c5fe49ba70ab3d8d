package io.peerbroker.json;

import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Request;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the protocol's requests, which are JSON objects. Immutable; safe for use by many threads.
 */
public final class JsonRequests {

  private static final Set<String> VALUES = Set.of("tags", "metadata", "list");

  private final Duration patience;

  /**
   * Creates a reader.
   *
   * @param patience how long an event may be on its way to the client before its stream counts as
   *     dead: {@link Request.Actor#withSeen}
   */
  public JsonRequests(Duration patience) {
    this.patience = Objects.requireNonNull(patience, "patience");
  }

  /**
   * Returns the request that a path and an object make.
   *
   * @throws RefusedException {@code invalid_request}, {@code invalid_filter} or {@code invalid_tag}
   *     for members that are missing or wrong; members that the request does not know are ignored
   */
  public Request read(RequestPath path, JsonMembers members) {
    return new Reading(members, null).request(path);
  }

  /**
   * Returns the request that a path and an object make which have come over a connection of the
   * channel's own: the key may be absent, and so may the {@code cid}, and the {@code origin} of a
   * message; each is the channel's then.
   *
   * @throws RefusedException as {@link #read(RequestPath, JsonMembers)}
   */
  public Request read(RequestPath path, JsonMembers members, Channel own) {
    return new Reading(members, own).request(path);
  }

  /** One reading. */
  private final class Reading {

    private final JsonMembers members;

    /** The channel on whose connection it has come; null where that proves nothing. */
    private final @Nullable Channel own;

    Reading(JsonMembers members, @Nullable Channel own) {
      this.members = members;
      this.own = own;
    }

    Request request(RequestPath path) {
      String id = path.id();
      return switch (path.action()) {
        case PING -> new Request.Ping(actor(id));
        case ICE -> new Request.AskIceServers(actor(id));
        case WATCH -> watch(id);
        case UNWATCH -> new Request.Unwatch(numbered(actor(id)), watchName(members));
        case CLOSE_CHANNEL -> new Request.CloseChannel(actor(id));
        case OPEN_SESSION -> openSession();
        case UPDATE_SESSION -> updateSession(id);
        case CLOSE_SESSION -> new Request.CloseSession(numbered(actor(idOr("cid"))), id);
        case SEND -> send(id);
      };
    }

    private Request.Watch watch(String cid) {
      Request.Actor actor = numbered(actor(cid));
      String name = watchName(members);
      String filter = members.optionalString("filter");
      return new Request.Watch(actor, name, TagFilter.parse(filter == null ? "" : filter));
    }

    private Request.OpenSession openSession() {
      String cid = idOr("cid");
      String key = optionalKey();
      List<String> tags = members.optionalStrings("tags");
      Boolean listed = members.optionalBoolean("list");
      Json metadata = members.optionalJson("metadata");
      SessionSpec spec =
          new SessionSpec(
              tags == null ? List.of() : tags,
              listed != null && listed,
              metadata == null ? Json.NULL : metadata);
      return new Request.OpenSession(numbered(actor(cid, key)), spec);
    }

    private Request.UpdateSession updateSession(String sid) {
      Request.Actor actor = numbered(actor(idOr("cid")));
      JsonMembers values = members.members("values", VALUES);
      SessionUpdate update =
          new SessionUpdate(
              values.optionalStrings("tags"),
              values.optionalBoolean("list"),
              values.optionalJson("metadata"));
      return new Request.UpdateSession(actor, sid, update);
    }

    private Request.Send send(String target) {
      Request.Actor actor = numbered(actor(idOr("origin")));
      List<Json> several = members.optionalElements("messages", Request.Send.MAX_MESSAGES);
      if (several != null && members.optionalJson("message") != null) {
        throw RefusedException.of(
            Refusal.Code.INVALID_REQUEST,
            "The member 'message' stands beside 'messages'; give one.");
      }
      return new Request.Send(
          actor, target, several == null ? List.of(members.json("message")) : several);
    }

    private String idOr(String name) {
      String id = own == null ? members.string(name) : members.optionalString(name);
      return id == null ? Objects.requireNonNull(own).id() : id;
    }

    private @Nullable String optionalKey() {
      String key = members.optionalString("key");
      return key == null && own != null ? own.key() : key;
    }

    private Request.Actor actor(String id) {
      return actor(id, own == null ? members.string("key") : optionalKey());
    }

    private Request.Actor actor(String id, @Nullable String key) {
      Request.Actor actor = Request.Actor.of(id);
      if (key != null) {
        actor = actor.withKey(key);
      }
      String seen = members.optionalString("seen");
      return seen == null ? actor : actor.withSeen(seen, patience);
    }

    /** Adds the number of the request, if it has one. */
    private Request.Actor numbered(Request.Actor actor) {
      Long seq = members.optionalNatural("seq");
      if (seq == null) {
        return actor;
      }
      if (actor.key() == null) {
        throw RefusedException.of(
            Refusal.Code.INVALID_REQUEST, "The member 'seq' stands without 'key'; give both.");
      }
      return actor.withSeq(seq);
    }
  }

  private static String watchName(JsonMembers members) {
    String name = members.string("watch");
    int codePoints = name.codePointCount(0, name.length());
    if (codePoints < 1 || codePoints > Request.Watch.MAX_NAME) {
      throw RefusedException.of(
          Refusal.Code.INVALID_REQUEST,
          "The member 'watch' must have 1 to "
              + Request.Watch.MAX_NAME
              + " characters, not "
              + codePoints
              + ".");
    }
    return name;
  }
}
