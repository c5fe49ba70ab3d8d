package io.peerbroker.servlet;

import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a client accepts: the header Accept (RFC 9110, section 12.5.1), all its lines together. */
final class AcceptHeader {

  static final String EVENT_STREAM = "text/event-stream";
  static final String JSON = "application/json";

  private final String ranges;

  AcceptHeader(@Nullable Enumeration<String> lines) {
    StringBuilder joined = new StringBuilder();
    while (lines != null && lines.hasMoreElements()) {
      joined.append(joined.isEmpty() ? "" : ",").append(lines.nextElement());
    }
    ranges = joined.toString().toLowerCase(Locale.ROOT);
  }

  /**
   * How much it wants a media type, from 0 (not at all) to 1: the most specific range that matches
   * decides.
   */
  double quality(String type) {
    String wholeType = type.substring(0, type.indexOf('/')) + "/*";
    int best = 0;
    // Without any range, anything will do; empty elements of the list do not count.
    double quality = 1;
    for (String range : split(ranges, ',')) {
      if (range.isBlank()) {
        continue;
      }
      if (best == 0) {
        quality = 0;
      }
      List<String> parts = split(range, ';');
      String name = parts.get(0).strip();
      int specific =
          name.equals(type) ? 3 : name.equals(wholeType) ? 2 : name.equals("*/*") ? 1 : 0;
      if (specific > best) {
        best = specific;
        quality = weight(parts);
      } else if (specific == best && specific > 0) {
        quality = Math.max(quality, weight(parts));
      }
    }
    return quality;
  }

  boolean allows(String type) {
    return quality(type) > 0;
  }

  /**
   * Splits a header's value, but not inside quoted strings (RFC 9110, section 5.6.4). A quote
   * without an end begins no quoted string.
   */
  static List<String> split(String value, char separator) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"') {
        i = endOfQuoted(value, i);
      } else if (c == separator) {
        parts.add(value.substring(start, i));
        start = i + 1;
      }
    }
    parts.add(value.substring(start));
    return parts;
  }

  /** Returns where the quoted string that begins here ends, or here if it does not end. */
  private static int endOfQuoted(String value, int begin) {
    for (int i = begin + 1; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"') {
        return i;
      }
      if (c == '\\') {
        i++;
      }
    }
    return begin;
  }

  private static double weight(List<String> parts) {
    for (String each : parts.subList(1, parts.size())) {
      String part = each.strip();
      if (part.startsWith("q=")) {
        String weight = part.substring(2);
        try {
          double read = isDecimal(weight) ? Double.parseDouble(weight) : 0;
          return read <= 1 ? read : 0;
        } catch (NumberFormatException unreadable) {
          return 0;
        }
      }
    }
    return 1;
  }

  /** Java reads more as a number than a weight may be: signs, exponents, {@code 1f}, NaN. */
  private static boolean isDecimal(String text) {
    return text.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
  }
}
