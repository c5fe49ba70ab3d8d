package io.peerbroker.json;

import io.peerbroker.core.Json;
import java.util.Arrays;

/** Puts JSON text and its framing together in one byte array. For use by one thread. */
public final class JsonWriter {

  private byte[] bytes;
  private int length;

  /**
   * Creates one without text.
   *
   * @param capacity the bytes that it has room for at first, at least 1; it grows
   */
  public JsonWriter(int capacity) {
    bytes = new byte[capacity];
  }

  /**
   * Appends ASCII as it is: names, brackets, numbers, framing.
   *
   * @param text without other characters, which would be cut to their low byte
   */
  @SuppressWarnings("deprecation") // getBytes with an offset copies ASCII without a second array
  public JsonWriter ascii(String text) {
    reserve(text.length());
    text.getBytes(0, text.length(), bytes, length);
    length += text.length();
    return this;
  }

  /** Appends a value unchanged, without a line break. */
  public JsonWriter json(Json json) {
    reserve(json.length());
    length = json.copyLine(bytes, length);
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

  private void reserve(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }

  /** Returns the number of bytes so far. */
  public int length() {
    return length;
  }

  /** Returns the text so far. Nothing may be appended any longer. */
  public byte[] toBytes() {
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }
}
