package io.peerbroker.servlet;

import io.peerbroker.core.Answer;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Request;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Requests as JSON objects, and their answers as JSON, for any framing. Nothing here knows of HTTP
 * or servlets.
 *
 * <p>Reading throws {@link RefusedException}, {@code invalid_request}, {@code invalid_filter} or
 * {@code invalid_tag}, for members that are missing or wrong.
 */
final class Commands {

  private static final Set<String> VALUES = Set.of("tags", "metadata", "list");

  private final Duration patience;

  /**
   * @param patience how long an event may be on its way before its stream counts as dead
   */
  Commands(Duration patience) {
    this.patience = patience;
  }

  Request.Ping ping(String cid, JsonMembers members) {
    return new Request.Ping(actor(cid, members));
  }

  Request.AskIceServers askIceServers(String cid, JsonMembers members) {
    return new Request.AskIceServers(actor(cid, members));
  }

  Request.Watch watch(String cid, JsonMembers members) {
    Request.Actor actor = numbered(actor(cid, members), members);
    String name = watchName(members);
    String filter = members.optionalString("filter");
    return new Request.Watch(actor, name, TagFilter.parse(filter == null ? "" : filter));
  }

  Request.Unwatch unwatch(String cid, JsonMembers members) {
    return new Request.Unwatch(numbered(actor(cid, members), members), watchName(members));
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

  Request.CloseChannel closeChannel(String cid, JsonMembers members) {
    return new Request.CloseChannel(actor(cid, members));
  }

  Request.OpenSession openSession(JsonMembers members) {
    String cid = members.string("cid");
    String key = members.optionalString("key");
    List<String> tags = members.optionalStrings("tags");
    Boolean listed = members.optionalBoolean("list");
    Json metadata = members.optionalJson("metadata");
    SessionSpec spec =
        new SessionSpec(
            tags == null ? List.of() : tags,
            listed != null && listed,
            metadata == null ? Json.NULL : metadata);
    return new Request.OpenSession(numbered(actor(cid, key, members), members), spec);
  }

  Request.UpdateSession updateSession(String sid, JsonMembers members) {
    Request.Actor actor = numbered(actor(members.string("cid"), members), members);
    JsonMembers values = members.object("values", VALUES);
    SessionUpdate update =
        new SessionUpdate(
            values.optionalStrings("tags"),
            values.optionalBoolean("list"),
            values.optionalJson("metadata"));
    return new Request.UpdateSession(actor, sid, update);
  }

  Request.CloseSession closeSession(String sid, JsonMembers members) {
    return new Request.CloseSession(numbered(actor(members.string("cid"), members), members), sid);
  }

  Request.Send send(String target, JsonMembers members) {
    Request.Actor actor = numbered(actor(members.string("origin"), members), members);
    List<Json> several = members.optionalElements("messages", Request.Send.MAX_MESSAGES);
    if (several != null && members.optionalJson("message") != null) {
      throw RefusedException.of(
          Refusal.Code.INVALID_REQUEST, "The member 'message' stands beside 'messages'; give one.");
    }
    return new Request.Send(
        actor, target, several == null ? List.of(members.json("message")) : several);
  }

  private Request.Actor actor(String id, JsonMembers members) {
    return actor(id, members.string("key"), members);
  }

  private Request.Actor actor(String id, @Nullable String key, JsonMembers members) {
    Request.Actor actor = Request.Actor.of(id);
    if (key != null) {
      actor = actor.withKey(key);
    }
    String seen = members.optionalString("seen");
    return seen == null ? actor : actor.withSeen(seen, patience);
  }

  /** Adds the number of the request, if it has one. */
  private static Request.Actor numbered(Request.Actor actor, JsonMembers members) {
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

  /** Returns whether the members of a request to send carry several messages, or might. */
  static boolean isForSeveral(JsonMembers members) {
    return members.optionalJson("messages") != null;
  }

  /**
   * Returns an answer as JSON. A refusal is not one of them: each transport reports it in its own
   * way.
   *
   * @param several whether the deliveries are written as a list, even if there is only one
   */
  static byte[] json(Answer answer, boolean several) {
    JsonWriter out = new JsonWriter(64);
    if (answer instanceof Answer.Pong pong) {
      out.ascii("{\"stream\":").ascii(Boolean.toString(pong.attached()));
      if (pong.lastConsumed() != null) {
        out.ascii(",\"written\":").string(pong.lastConsumed());
      }
      out.ascii("}");
    } else if (answer instanceof Answer.IceServersGiven given) {
      out.ascii("{");
      EventJson.write(given.configuration(), out);
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
    return out.toBytes();
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
