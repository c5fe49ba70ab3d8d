package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Conversions between strings and JSON text (RFC 8259, section 7). */
final class JsonStrings {

  private JsonStrings() {}

  /**
   * Unescapes the text between two quotes that the scanner has passed; lone surrogates stay lone.
   */
  static String unescape(byte[] utf8, int from, int to) {
    String text = new String(utf8, from, to - from, UTF_8);
    int escape = text.indexOf('\\');
    if (escape < 0) {
      return text;
    }
    var out = new StringBuilder(text.length());
    int done = 0;
    while (escape >= 0) {
      out.append(text, done, escape);
      char kind = text.charAt(escape + 1);
      done = escape + 2;
      switch (kind) {
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'u' -> {
          out.append((char) Integer.parseInt(text, done, done + 4, 16));
          done += 4;
        }
        default -> out.append(kind);
      }
      escape = text.indexOf('\\', done);
    }
    return out.append(text, done, text.length()).toString();
  }

  /** Returns the position of the first lone surrogate from here on; -1 if there is none. */
  static int loneSurrogate(String text, int from) {
    int i = from;
    while (i < text.length()) {
      int codePoint = text.codePointAt(i);
      if (Character.getType(codePoint) == Character.SURROGATE) {
        return i;
      }
      i += Character.charCount(codePoint);
    }
    return -1;
  }

  /**
   * Returns the same JSON text with lone surrogates, which UTF-8 can't encode, written as escapes.
   */
  static String escapeLoneSurrogates(String json) {
    int lone = loneSurrogate(json, 0);
    if (lone < 0) {
      return json;
    }
    var out = new StringBuilder(json.length() + 16);
    int done = 0;
    while (lone >= 0) {
      out.append(json, done, lone).append(String.format("\\u%04x", (int) json.charAt(lone)));
      done = lone + 1;
      lone = loneSurrogate(json, done);
    }
    return out.append(json, done, json.length()).toString();
  }
}
