package io.peerbroker.servlet;

import io.peerbroker.core.Json;
import java.util.Arrays;

/** JSON text and its framing, on the way into one byte array. */
final class JsonWriter {

  private byte[] bytes;
  private int length;

  JsonWriter(int capacity) {
    bytes = new byte[capacity];
  }

  /** Appends ASCII as it is: names, brackets, numbers, framing. */
  @SuppressWarnings("deprecation") // getBytes with an offset copies ASCII without a second array
  JsonWriter ascii(String text) {
    reserve(text.length());
    text.getBytes(0, text.length(), bytes, length);
    length += text.length();
    return this;
  }

  /** Appends a value unchanged, without a line break. */
  JsonWriter json(Json json) {
    reserve(json.length());
    length = json.copyLine(bytes, length);
    return this;
  }

  /** Appends a string as a JSON string. */
  JsonWriter string(String text) {
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

  /** Returns the number of bytes. */
  int length() {
    return length;
  }

  byte[] toBytes() {
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }
}
