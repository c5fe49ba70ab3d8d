package io.peerbroker.json;

import io.peerbroker.core.Event;
import io.peerbroker.core.IceConfiguration;
import io.peerbroker.core.IceServer;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import java.math.BigDecimal;
import java.time.Duration;

/**
 * Names the protocol's events and writes their content, which is a JSON object with at least one
 * member.
 */
public final class JsonEvents {

  private JsonEvents() {}

  /** Returns the name of an event, as in the field {@code event} of a stream. */
  public static String name(Event event) {
    if (event instanceof Event.Watched watched) {
      return name(watched.shared().event());
    }
    if (event instanceof Event.Received) {
      return "message";
    } else if (event instanceof Event.Added) {
      return "add";
    } else if (event instanceof Event.Removed) {
      return "remove";
    } else if (event instanceof Event.Undelivered) {
      return "undelivered";
    } else if (event instanceof Event.Ready) {
      return "ready";
    } else if (event instanceof Event.Unwatched) {
      return "unwatch";
    }
    return "channel";
  }

  /**
   * Writes the content of an event. That of an {@link Event.Watched} is the shared event's, without
   * the name of the list.
   *
   * @param heartbeat the stream's heartbeat for {@code channel} and {@code ready}; zero to omit it
   */
  public static void write(Event event, Duration heartbeat, JsonWriter out) {
    if (event instanceof Event.Watched watched) {
      write(watched.shared().event(), heartbeat, out);
    } else if (event instanceof Event.Received received) {
      Message message = received.message();
      out.ascii("{\"origin\":").string(message.origin());
      out.ascii(",\"target\":").string(message.target());
      out.ascii(",\"message\":").json(message.json()).ascii("}");
    } else if (event instanceof Event.Added added) {
      write(added.session(), out);
    } else if (event instanceof Event.Removed removed) {
      out.ascii("{\"sid\":").string(removed.sid()).ascii("}");
    } else if (event instanceof Event.Undelivered undelivered) {
      out.ascii("{\"id\":").string(undelivered.id());
      out.ascii(",\"target\":").string(undelivered.target());
      out.ascii(",\"reason\":").string(undelivered.reason().code()).ascii("}");
    } else if (event instanceof Event.Ready ready) {
      out.ascii("{\"count\":").ascii(Integer.toString(ready.count()));
      heartbeat(heartbeat, out);
      out.ascii("}");
    } else if (event instanceof Event.Unwatched unwatched) {
      out.ascii("{\"watch\":").string(unwatched.watch());
      out.ascii(",\"reason\":").string(unwatched.reason().code()).ascii("}");
    } else if (event instanceof Event.Opened opened) {
      out.ascii("{\"cid\":").string(opened.id());
      out.ascii(",\"key\":").string(opened.key());
      granted("resume", opened.resume(), out);
      granted("lease", opened.lease(), out);
      heartbeat(heartbeat, out);
      if (!opened.ice().servers().isEmpty()) {
        out.ascii(",");
        write(opened.ice(), out);
      }
      out.ascii("}");
    }
  }

  /**
   * Returns an event of a list that a channel's connection carries: the list's name becomes one
   * more member of its data, the first.
   *
   * @param frame the event as a transport writes it, with {@link #write its content} in it; not
   *     changed, since streams share it
   * @param from a place in the frame behind which the content's brace is the first
   */
  public static byte[] ofWatch(String watch, byte[] frame, int from) {
    int inside = from;
    while (frame[inside++] != '{') {}
    byte[] name =
        new JsonWriter(watch.length() + 11).ascii("\"watch\":").string(watch).ascii(",").toBytes();
    // The event may be long, and each stream copies it: once, into an array of the right length.
    byte[] named = new byte[frame.length + name.length];
    System.arraycopy(frame, 0, named, 0, inside);
    System.arraycopy(name, 0, named, inside, name.length);
    System.arraycopy(frame, inside, named, inside + name.length, frame.length - inside);
    return named;
  }

  private static void granted(String name, Duration time, JsonWriter out) {
    if (!time.isZero()) {
      out.ascii(",\"").ascii(name).ascii("\":").ascii(Long.toString(time.toSeconds()));
    }
  }

  private static void heartbeat(Duration heartbeat, JsonWriter out) {
    if (!heartbeat.isZero()) {
      out.ascii(",\"heartbeat\":")
          .ascii(BigDecimal.valueOf(heartbeat.toMillis(), 3).stripTrailingZeros().toPlainString());
    }
  }

  /** Writes ICE servers as two members, the second one only if they run out. */
  public static void write(IceConfiguration configuration, JsonWriter out) {
    out.ascii("\"iceServers\":[");
    String separator = "";
    for (IceServer server : configuration.servers()) {
      out.ascii(separator).ascii("{\"urls\":[");
      separator = ",";
      String between = "";
      for (String url : server.urls()) {
        out.ascii(between).string(url);
        between = ",";
      }
      out.ascii("]");
      if (server.username() != null && server.credential() != null) {
        out.ascii(",\"username\":").string(server.username());
        out.ascii(",\"credential\":").string(server.credential());
      }
      out.ascii("}");
    }
    out.ascii("]");
    if (!configuration.ttl().isZero()) {
      out.ascii(",\"iceTtl\":").ascii(Long.toString(configuration.ttl().toSeconds()));
    }
  }

  /** Writes a session as lists show it: {@code {"sid":…,"session":{…}}}. */
  public static void write(ListedSession session, JsonWriter out) {
    out.ascii("{\"sid\":").string(session.id()).ascii(",\"session\":{\"tags\":[");
    String separator = "";
    for (String tag : session.tags()) {
      out.ascii(separator).string(tag);
      separator = ",";
    }
    out.ascii("],\"metadata\":").json(session.metadata()).ascii("}}");
  }
}
