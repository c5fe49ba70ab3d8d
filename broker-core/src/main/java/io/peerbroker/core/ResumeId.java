package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The id of an event on a channel that can be resumed: its channel, the right to continue from it,
 * and its number.
 *
 * @param cid the channel
 * @param secret known only to the channel's reader; it is not the channel's key, and like the key
 *     it must never be logged
 * @param number the event's number on its channel, from 1
 */
record ResumeId(String cid, String secret, long number) {

  private static final int MAX_LENGTH = 128;

  /** Returns the prefix of the ids of all events of a channel. */
  static String prefix(String cid, String secret) {
    return cid + "." + secret + ".";
  }

  /** Parses an id; returns null if the text is not one. */
  static @Nullable ResumeId parse(String text) {
    int first = text.indexOf('.');
    int second = text.indexOf('.', first + 1);
    if (text.length() > MAX_LENGTH || first < 0 || second < 0) {
      return null;
    }
    String digits = text.substring(second + 1);
    // An event has only one id: no leading zero, no digits of other scripts.
    if (digits.isEmpty()
        || digits.length() > 18
        || digits.charAt(0) == '0'
        || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return null;
    }
    return new ResumeId(
        text.substring(0, first), text.substring(first + 1, second), Long.parseLong(digits));
  }

  /** Returns the channel and the number; the rest is secret. */
  @Override
  public String toString() {
    return "ResumeId[" + cid + ", " + number + "]";
  }
}
