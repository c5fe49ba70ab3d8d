package io.peerbroker.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The rules for tags, which also apply to the terms of a filter. */
final class Tags {

  static final int MAX_CODE_POINTS = 64;

  private Tags() {}

  /** Trims and checks tags; keeps their order and drops duplicates. */
  static List<String> normalize(List<String> tags) {
    Set<String> kept = new LinkedHashSet<>();
    for (String tag : tags) {
      String trimmed = trim(tag);
      checkTerm(trimmed, Refusal.Code.INVALID_TAG, "a tag");
      if (trimmed.startsWith("!") || trimmed.indexOf(',') >= 0) {
        throw refused(
            Refusal.Code.INVALID_TAG,
            "The tag "
                + Refusal.quote(trimmed)
                + " must not contain a comma or start with '!': both have a meaning in filters.");
      }
      kept.add(trimmed);
    }
    return List.copyOf(kept);
  }

  /**
   * Checks what tags and filter terms have in common: not empty, not too long, no control
   * character, well-formed.
   */
  static void checkTerm(String term, Refusal.Code code, String what) {
    if (term.isEmpty()) {
      throw refused(code, what + " must not be empty.");
    }
    if (term.codePointCount(0, term.length()) > MAX_CODE_POINTS) {
      throw refused(
          code,
          what
              + " must have at most "
              + MAX_CODE_POINTS
              + " code points; "
              + Refusal.quote(term)
              + " has more.");
    }
    for (int i = 0; i < term.length(); ) {
      int codePoint = term.codePointAt(i);
      if (Character.getType(codePoint) == Character.CONTROL) {
        throw refused(
            code,
            what + " must not contain a control character; " + Refusal.quote(term) + " has one.");
      }
      if (Character.getType(codePoint) == Character.SURROGATE) {
        throw refused(
            code,
            what
                + " must be well-formed Unicode; "
                + Refusal.quote(term)
                + " has a lone surrogate.");
      }
      i += Character.charCount(codePoint);
    }
  }

  /** Removes Unicode white space at both ends. */
  static String trim(String text) {
    int start = 0;
    int end = text.length();
    // No white space is outside the basic plane, so single chars suffice.
    while (start < end && isWhiteSpace(text.charAt(start))) {
      start++;
    }
    while (end > start && isWhiteSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  /**
   * Tests the Unicode property White_Space; Character.isWhitespace and isSpaceChar differ from it.
   */
  private static boolean isWhiteSpace(char c) {
    return (c >= '\t' && c <= '\r')
        || c == ' '
        || c == '\u0085'
        || c == '\u00A0'
        || c == '\u1680'
        || (c >= '\u2000' && c <= '\u200A')
        || c == '\u2028'
        || c == '\u2029'
        || c == '\u202F'
        || c == '\u205F'
        || c == '\u3000';
  }

  private static RefusedException refused(Refusal.Code code, String detail) {
    return RefusedException.of(code, Character.toUpperCase(detail.charAt(0)) + detail.substring(1));
  }
}
