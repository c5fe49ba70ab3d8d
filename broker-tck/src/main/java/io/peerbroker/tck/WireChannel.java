package io.peerbroker.tck;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.peerbroker.tck.EventStreamParser.Event;

/**
 * A channel that a {@link WireClient} has opened, and its owner's requests. Bodies are written out
 * as text, so that values reach the wire as the test spells them.
 */
public final class WireChannel {

  private final WireClient client;
  private final SseStream stream;
  private final String cid;
  private final String key;

  WireChannel(WireClient client, SseStream stream) {
    this.client = client;
    this.stream = stream;
    JsonObject opened = data(stream.await("channel"));
    this.cid = opened.get("cid").getAsString();
    this.key = opened.get("key").getAsString();
  }

  /** Its name. */
  public String cid() {
    return cid;
  }

  /** Its secret. */
  public String key() {
    return key;
  }

  /** Its stream, on which the {@code channel} event has been read. */
  public SseStream stream() {
    return stream;
  }

  /**
   * Creates a session and fails if it is refused.
   *
   * @param members what the body has beside {@code cid} and {@code key}, such as {@code
   *     "list":true}; may be empty
   * @return its sid
   */
  public String createSession(String members) {
    WireResponse response = postSession(members);
    if (response.status() != 201) {
      throw new AssertionError("No session: " + response);
    }
    return response.member("sid");
  }

  /** Creates a listed session with tags, written as JSON strings with commas between them. */
  public String listSession(String tags) {
    return createSession("\"list\":true,\"tags\":[" + tags + "]");
  }

  /** Posts a session with the key; the test judges the answer. */
  public WireResponse postSession(String members) {
    return client.postJson("/session", body("cid", members));
  }

  /** Updates a session; {@code values} are the members of that object. */
  public WireResponse update(String sid, String values) {
    return client.postJson(
        "/session/" + sid + "/update", body("cid", "\"values\":{" + values + "}"));
  }

  /** Ends a session. */
  public WireResponse closeSession(String sid) {
    return client.postJson("/session/" + sid + "/close", body("cid", ""));
  }

  /** Sends a message, written as JSON, from the channel itself. */
  public WireResponse send(String target, String message) {
    return client.postJson("/send/" + target, sendBody(message));
  }

  /** The body of a send from the channel itself. */
  public String sendBody(String message) {
    return body("origin", "\"message\":" + message);
  }

  /** Closes the channel as its owner. */
  public WireResponse close() {
    return post("close", "");
  }

  /**
   * Asks for a list on the channel's stream; the test judges the answer.
   *
   * @param name the name of the list, written without escapes
   * @param filter the same
   */
  public WireResponse watch(String name, String filter) {
    return postWatch("\"watch\":\"" + name + "\",\"filter\":\"" + filter + "\"");
  }

  /** Asks for a list; {@code members} are what the body has beside the key. */
  public WireResponse postWatch(String members) {
    return post("watch", members);
  }

  /** Ends a list on the channel's stream. */
  public WireResponse unwatch(String name) {
    return postUnwatch("\"watch\":\"" + name + "\"");
  }

  /** Ends a list; {@code members} are what the body has beside the key. */
  public WireResponse postUnwatch(String members) {
    return post("unwatch", members);
  }

  /** Sends a ping. */
  public WireResponse ping() {
    return post("ping", "");
  }

  /** Confirms all events up to this one. */
  public WireResponse pingSeen(String eventId) {
    return post("ping", "\"seen\":\"" + eventId + "\"");
  }

  /**
   * Comes back on another connection as an EventSource does, after the last event that was read
   * from the first stream; the first stream is left as it is.
   */
  public SseStream comeBack() {
    return comeBack(stream.lastEventId());
  }

  /** Comes back on another connection after an event; the test judges the answer. */
  public SseStream comeBack(String lastEventId) {
    return client.openStream("/channel", "Last-Event-ID: " + lastEventId);
  }

  /** Waits for the next message and reads its data. */
  public JsonObject awaitMessage() {
    return data(stream.await("message"));
  }

  /** The data of an event as an object. */
  public static JsonObject data(Event event) {
    return JsonParser.parseString(event.data()).getAsJsonObject();
  }

  /** Posts to a path of the channel's own, with its key. */
  private WireResponse post(String last, String members) {
    return client.postJson("/channel/" + cid + "/" + last, "{" + keyAnd(members));
  }

  private String body(String self, String members) {
    return "{\"" + self + "\":\"" + cid + "\"," + keyAnd(members);
  }

  private String keyAnd(String members) {
    return "\"key\":\"" + key + "\"" + (members.isEmpty() ? "" : "," + members) + "}";
  }
}
