package io.peerbroker.json;

import io.peerbroker.core.Json;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Puts JSON text and its framing together in one byte array. For use by one thread. */
public final class JsonWriter {

  /** Null while only the length is counted. */
  private byte @Nullable [] bytes;

  private int length;

  private JsonWriter() {}

  /**
   * Creates one without text.
   *
   * @param capacity the bytes that it has room for at first, at least 1; it grows
   */
  public JsonWriter(int capacity) {
    bytes = new byte[capacity];
  }

  /**
   * Returns a text in an array of its own size: it is written twice, and counted the first time, so
   * that nothing of a long text is copied twice.
   *
   * @param text writes the text, the same each time
   */
  public static byte[] bytesOf(Consumer<JsonWriter> text) {
    JsonWriter count = new JsonWriter();
    text.accept(count);
    JsonWriter out = new JsonWriter(count.length);
    text.accept(out);
    return out.toBytes();
  }

  /**
   * Appends ASCII as it is: names, brackets, numbers, framing.
   *
   * @param text without other characters, which would be cut to their low byte
   */
  @SuppressWarnings("deprecation") // getBytes with an offset copies ASCII without a second array
  public JsonWriter ascii(String text) {
    byte[] into = reserve(text.length());
    if (into != null) {
      text.getBytes(0, text.length(), into, length);
    }
    length += text.length();
    return this;
  }

  /** Appends a value unchanged, without a line break. */
  public JsonWriter json(Json json) {
    byte[] into = reserve(json.length());
    if (into != null) {
      json.copyLine(into, length);
    }
    length += json.length();
    return this;
  }

  /** Appends a string as a JSON string. */
  public JsonWriter string(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' || c > '~' || c == '"' || c == '\\') {
        return json(Json.of(text));
      }
    }
    return ascii("\"").ascii(text).ascii("\"");
  }

  /** Returns the array, which has room for so many bytes more, or null if they are counted. */
  private byte @Nullable [] reserve(int more) {
    byte[] present = bytes;
    if (present != null && present.length - length < more) {
      present = Arrays.copyOf(present, Math.max(present.length * 2, length + more));
      bytes = present;
    }
    return present;
  }

  /** Returns the number of bytes so far. */
  public int length() {
    return length;
  }

  /** Returns the text so far. Nothing may be appended any longer. */
  public byte[] toBytes() {
    byte[] whole = Objects.requireNonNull(bytes);
    return length == whole.length ? whole : Arrays.copyOf(whole, length);
  }
}
