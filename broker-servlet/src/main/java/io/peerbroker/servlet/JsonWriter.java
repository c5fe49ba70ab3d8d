package io.peerbroker.servlet;

import io.peerbroker.core.Json;
import java.util.Arrays;

/** JSON text, and what frames it, on its way into one byte array. */
final class JsonWriter {

  private byte[] bytes;
  private int length;

  JsonWriter(int capacity) {
    bytes = new byte[capacity];
  }

  /** Appends ASCII as it is: names, brackets, numbers, framing. */
  @SuppressWarnings("deprecation") // getBytes to a place copies ASCII without a second array
  JsonWriter ascii(String text) {
    reserve(text.length());
    text.getBytes(0, text.length(), bytes, length);
    length += text.length();
    return this;
  }

  /** Appends a value as it came, without a line break. */
  JsonWriter json(Json json) {
    reserve(json.length());
    length = json.copyLine(bytes, length);
    return this;
  }

  /** Appends a string as JSON has it. */
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

  /** Returns how many bytes there are. */
  int length() {
    return length;
  }

  byte[] toBytes() {
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }
}
