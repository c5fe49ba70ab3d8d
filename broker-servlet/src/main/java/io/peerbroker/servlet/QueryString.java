package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a query, read from the raw query string as a form's are (WHATWG URL, section
 * 5.1), but strictly.
 *
 * <p>Containers read queries differently, and accept malformed ones with a changed meaning.
 */
final class QueryString {

  private record Parameter(String name, String rawValue) {}

  private final List<Parameter> parameters = new ArrayList<>();

  QueryString(@Nullable String raw) {
    if (raw == null) {
      return;
    }
    for (int start = 0; start <= raw.length(); ) {
      int ampersand = raw.indexOf('&', start);
      int end = ampersand < 0 ? raw.length() : ampersand;
      if (end > start) {
        int equals = raw.indexOf('=', start);
        int nameEnd = equals < 0 || equals > end ? end : equals;
        String name = decode(raw.substring(start, nameEnd));
        parameters.add(
            new Parameter(
                // A malformed name is not one of the known parameters.
                name == null ? "" : name, raw.substring(Math.min(nameEnd + 1, end), end)));
      }
      start = end + 1;
    }
  }

  /**
   * The value of a parameter, or null if it is absent.
   *
   * @param code the refusal of a parameter that is given twice or badly encoded
   */
  @Nullable String value(String name, Refusal.Code code) {
    String value = null;
    for (Parameter parameter : parameters) {
      if (parameter.name.equals(name)) {
        if (value != null) {
          throw RefusedException.of(code, "The parameter '" + name + "' may be given once.");
        }
        value = decode(parameter.rawValue);
        if (value == null) {
          throw RefusedException.of(
              code, "The parameter '" + name + "' must be percent-encoded UTF-8, as in a form.");
        }
      }
    }
    return value;
  }

  /** Refuses any parameter except the known ones and those that get past a cache. */
  void allowOnly(Set<String> known) {
    for (Parameter parameter : parameters) {
      if (!known.contains(parameter.name) && !parameter.name.startsWith("_")) {
        throw RefusedException.of(
            Refusal.Code.INVALID_REQUEST,
            "There is no parameter "
                + Refusal.quote(parameter.name)
                + " here, but "
                + String.join(", ", known.stream().sorted().toList())
                + ".");
      }
    }
  }

  /** Decodes strictly; null for a bad percent-encoding or bad UTF-8. */
  private static @Nullable String decode(String raw) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c == '%') {
        if (i + 2 >= raw.length()) {
          return null;
        }
        int high = Character.digit(raw.charAt(i + 1), 16);
        int low = Character.digit(raw.charAt(i + 2), 16);
        if (high < 0 || low < 0 || raw.charAt(i + 1) > 'f' || raw.charAt(i + 2) > 'f') {
          return null;
        }
        bytes.write(high << 4 | low);
        i += 2;
      } else if (c > '~' || c <= ' ') {
        return null;
      } else {
        bytes.write(c == '+' ? ' ' : c);
      }
    }
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
    } catch (CharacterCodingException notUtf8) {
      return null;
    }
  }
}
