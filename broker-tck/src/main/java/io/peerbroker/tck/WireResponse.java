package io.peerbroker.tck;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP answer as it came over the wire.
 *
 * @param status its status code
 * @param headers its header fields, in order
 * @param body its body, decoded from whatever transfer coding it came in
 */
public record WireResponse(int status, List<Header> headers, String body) {

  /**
   * A header field.
   *
   * @param name its name, in the letter case it came in
   * @param value its value, trimmed
   */
  public record Header(String name, String value) {}

  WireResponse(int status, List<Header> headers, byte[] body) {
    this(status, headers, new String(body, UTF_8));
  }

  /** The value of a header, several lines of it joined by {@code ", "}; null if there is none. */
  public @Nullable String header(String name) {
    List<String> values =
        headers.stream().filter(h -> h.name().equalsIgnoreCase(name)).map(Header::value).toList();
    return values.isEmpty() ? null : String.join(", ", values);
  }

  /** The elements of a header that is a list, trimmed and in lower case; empty if there is none. */
  public List<String> headerList(String name) {
    String value = header(name);
    return value == null
        ? List.of()
        : List.of(value.toLowerCase(Locale.ROOT).strip().split("\\s*,\\s*", -1));
  }

  /** The type of the body without parameters, in lower case; empty if it has none. */
  public String mediaType() {
    String value = header("Content-Type");
    return value == null ? "" : value.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
  }

  /** The body as JSON. */
  public JsonElement json() {
    return JsonParser.parseString(body);
  }

  /** The body as a JSON object. */
  public JsonObject jsonObject() {
    return json().getAsJsonObject();
  }

  /** The string member of this name of the body, which is an object. */
  public String member(String name) {
    return jsonObject().get(name).getAsString();
  }
}
