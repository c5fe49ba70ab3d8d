package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import io.peerbroker.core.Refusal.Code;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One JSON value (RFC 8259), kept as the UTF-8 bytes that it arrived in. It is relayed unchanged,
 * with its spellings of numbers, its order of members, duplicate members and escapes.
 *
 * <p>Immutable, and always well-formed, so it never needs checking again. It may be a slice of a
 * larger array that it shares with other values, so <em>the array that was handed to {@link
 * #members(byte[], int)} must not be changed while they are in use</em>, and it stays in memory for
 * as long as one slice does; see {@link #compact()}. What the broker keeps is compact, and what it
 * queues nearly so.
 */
public final class Json {

  /** The deepest nesting that is ever accepted, whatever a caller asks for. */
  public static final int MAX_DEPTH = 512;

  /** The value {@code null}. */
  public static final Json NULL = parse("null");

  private final byte[] utf8;
  private final int offset;
  private final int length;
  private final int depth;
  private final boolean oneLine;

  /** Wraps a slice that the scanner has passed. */
  Json(byte[] utf8, int offset, int length, int depth, boolean oneLine) {
    this.utf8 = utf8;
    this.offset = offset;
    this.length = length;
    this.depth = depth;
    this.oneLine = oneLine;
  }

  /**
   * Parses JSON text that holds one value; white space around it is dropped. The array is copied
   * and stays the caller's.
   *
   * @throws RefusedException {@code malformed_json} if the array does not hold exactly one JSON
   *     value in well-formed UTF-8 without a byte order mark, or one nested deeper than {@link
   *     #MAX_DEPTH}; the detail names the byte, from 0, and what is expected there
   */
  public static Json parse(byte[] utf8) {
    return parseOwn(utf8.clone());
  }

  /** As {@link #parse(byte[])}, without a copy: nothing else may refer to the array. */
  private static Json parseOwn(byte[] utf8) {
    return new JsonScanner(utf8, 0, utf8.length, MAX_DEPTH).scan(null);
  }

  /**
   * Parses JSON text that holds one value; white space around it is dropped.
   *
   * @throws RefusedException {@code malformed_json} as for {@link #parse(byte[])}, with positions
   *     in the text's UTF-8 form, and for a surrogate without its partner, which has no UTF-8 form
   */
  public static Json parse(String text) {
    int lone = JsonStrings.loneSurrogate(text, 0);
    if (lone >= 0) {
      throw RefusedException.of(
          Code.MALFORMED_JSON,
          "At char %d of the JSON text: found the lone surrogate U+%04X, expected its escape."
              .formatted(lone, (int) text.charAt(lone)));
    }
    return parseOwn(text.getBytes(UTF_8));
  }

  /**
   * Cuts a request body, which must be one JSON object, into its members, in one pass that also
   * validates it. Names are unescaped; the map is unmodifiable and in the body's order. The array
   * is not copied and must not be changed afterwards.
   *
   * @param maxDepth the deepest nesting of the body, whose own object is level 1; at most {@link
   *     #MAX_DEPTH}
   * @throws RefusedException {@code malformed_json} as for {@link #parse(byte[])} and for nesting
   *     beyond {@code maxDepth}; {@code invalid_request} if the body is well-formed but not an
   *     object, or has two members with the same name (which the detail gives)
   * @throws IllegalArgumentException if {@code maxDepth} is not in 1 to {@link #MAX_DEPTH}
   */
  public static Map<String, Json> members(byte[] body, int maxDepth) {
    if (maxDepth < 1 || maxDepth > MAX_DEPTH) {
      throw new IllegalArgumentException(
          "maxDepth must be in 1 to " + MAX_DEPTH + ", not " + maxDepth + ".");
    }
    return cut(body, 0, body.length, maxDepth);
  }

  /**
   * Returns the members of this object, in order, with their names unescaped; unmodifiable.
   *
   * @throws RefusedException {@code invalid_request} if two members have the same name
   * @throws IllegalStateException if this is not an object
   */
  public Map<String, Json> members() {
    require(isObject(), "an object");
    return cut(utf8, offset, offset + length, MAX_DEPTH);
  }

  private static Map<String, Json> cut(byte[] utf8, int from, int to, int maxDepth) {
    var members = new LinkedHashMap<String, Json>();
    // Kept until the pass is over: malformed text further on takes precedence.
    var twice = new ArrayList<String>(0);
    Json whole =
        new JsonScanner(utf8, from, to, maxDepth)
            .scan(
                (name, nameEnd, value) -> {
                  // Elements have no name, and an array is refused below.
                  String key = name < 0 ? "" : JsonStrings.unescape(utf8, name, nameEnd);
                  if (members.put(key, value) != null && twice.isEmpty()) {
                    twice.add(key);
                  }
                });
    if (!whole.isObject()) {
      throw RefusedException.of(
          Code.INVALID_REQUEST, "The body must be a JSON object: {\"name\": value, …}.");
    }
    if (!twice.isEmpty()) {
      throw RefusedException.of(
          Code.INVALID_REQUEST,
          "The member " + Refusal.quote(twice.get(0)) + " is given twice; give it once.");
    }
    return Collections.unmodifiableMap(members);
  }

  /**
   * Returns the elements of this array, as slices; unmodifiable.
   *
   * @throws IllegalStateException if this is not an array
   */
  public List<Json> elements() {
    require(isArray(), "an array");
    var elements = new ArrayList<Json>();
    new JsonScanner(utf8, offset, offset + length, MAX_DEPTH)
        .scan((name, nameEnd, value) -> elements.add(value));
    return Collections.unmodifiableList(elements);
  }

  /**
   * Returns the JSON form that Gson gives a Java object: numbers, strings, maps, lists, arrays,
   * records, other objects by their fields, Gson's own {@link JsonElement}, and {@code null}.
   * Members that are null are written. A {@code Json}, also one inside other objects, is inserted
   * unchanged. A lone surrogate becomes its escape. A modular application must open the package of
   * its records and classes to Gson, which reads their fields: {@code opens … to com.google.gson}.
   *
   * @throws IllegalArgumentException if there is no such form: NaN and infinities, objects that
   *     Gson cannot access, nesting beyond {@link #MAX_DEPTH}
   */
  public static Json of(@Nullable Object value) {
    if (value instanceof Json json) {
      return json;
    }
    byte[] written = JsonGson.write(value);
    try {
      return parseOwn(written);
    } catch (RefusedException e) {
      throw new IllegalArgumentException("The object has no JSON form: " + e.refusal().detail(), e);
    }
  }

  /**
   * Returns this value as Gson's tree. The tree keeps the spelling of numbers but not of strings,
   * and only the last of several members with the same name.
   *
   * @throws IllegalArgumentException if Gson can't hold it (a number of a thousand digits)
   */
  public JsonElement toElement() {
    JsonElement element = to(JsonElement.class);
    return element == null ? JsonNull.INSTANCE : element;
  }

  /**
   * Returns this value as an object of this class, as Gson reads it; null for {@code null}.
   *
   * @throws IllegalArgumentException if it does not fit the class; the cause is Gson's
   */
  public <T> @Nullable T to(Class<T> type) {
    return JsonGson.read(this, type);
  }

  /** Returns the size in bytes, without white space around the value. */
  public int length() {
    return length;
  }

  /** Returns how deep arrays and objects nest in it: 0 for a scalar, 1 for {@code []}. */
  public int depth() {
    return depth;
  }

  /** Returns whether this is {@code null}. */
  public boolean isNull() {
    return first() == 'n';
  }

  /** Returns whether this is {@code true} or {@code false}. */
  public boolean isBoolean() {
    return first() == 't' || first() == 'f';
  }

  /** Returns whether this is a number. */
  public boolean isNumber() {
    return first() == '-' || (first() >= '0' && first() <= '9');
  }

  /** Returns whether this is a string. */
  public boolean isString() {
    return first() == '"';
  }

  /** Returns whether this is an array. */
  public boolean isArray() {
    return first() == '[';
  }

  /** Returns whether this is an object. */
  public boolean isObject() {
    return first() == '{';
  }

  /**
   * Returns the text of this string, unescaped. The escape of a lone surrogate becomes that lone
   * surrogate.
   *
   * @throws IllegalStateException if this is not a string
   */
  public String asString() {
    require(isString(), "a string");
    return JsonStrings.unescape(utf8, offset + 1, offset + length - 1);
  }

  /**
   * Returns the value of this boolean.
   *
   * @throws IllegalStateException if this is neither {@code true} nor {@code false}
   */
  public boolean asBoolean() {
    require(isBoolean(), "true or false");
    return first() == 't';
  }

  /** Returns a copy of the bytes as they arrived. */
  public byte[] toBytes() {
    return Arrays.copyOfRange(utf8, offset, offset + length);
  }

  /**
   * Writes the value as one line: as it arrived, but with a space for each CR and LF, which can
   * only be between tokens (RFC 8259, section 2). The size stays {@link #length()}.
   *
   * @return the position after the last byte written
   * @throws IndexOutOfBoundsException if it does not fit; then nothing has been written
   */
  public int copyLine(byte[] into, int at) {
    System.arraycopy(utf8, offset, into, at, length);
    int end = at + length;
    for (int i = at; !oneLine && i < end; i++) {
      if (into[i] == '\n' || into[i] == '\r') {
        into[i] = ' ';
      }
    }
    return end;
  }

  /**
   * Returns the same value in an array of exactly its own size, for values that are kept long: a
   * slice keeps the whole request body in memory.
   */
  public Json compact() {
    return length == utf8.length ? this : new Json(toBytes(), 0, length, depth, oneLine);
  }

  /**
   * Returns the same value in an array that is at most an eighth longer, for values that are
   * queued: most messages are nearly all of their request's body, which need not be copied.
   */
  Json nearlyCompact() {
    return utf8.length - length <= length / 8 ? this : compact();
  }

  /** Returns whether the other is a JSON value of the same bytes: {@code 1.0} is not {@code 1}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Json that
        && Arrays.equals(
            utf8, offset, offset + length, that.utf8, that.offset, that.offset + that.length);
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = offset; i < offset + length; i++) {
      hash = 31 * hash + utf8[i];
    }
    return hash;
  }

  /** Returns the JSON text as it arrived. */
  @Override
  public String toString() {
    return new String(utf8, offset, length, UTF_8);
  }

  private byte first() {
    return utf8[offset];
  }

  private void require(boolean is, String what) {
    if (!is) {
      throw new IllegalStateException("This JSON value is not " + what + ".");
    }
  }
}
