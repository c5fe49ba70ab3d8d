package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The id of an event on a channel that can be resumed: where it belongs, the right to go on from
 * it, and its number.
 *
 * @param cid the channel
 * @param secret what nobody but the channel's reader knows; not its key, and like it never logged
 * @param number the event's number on its channel, from 1
 */
record ResumeId(String cid, String secret, long number) {

  private static final int MAX_LENGTH = 128;

  /** What the ids of all events of a channel begin with. */
  static String prefix(String cid, String secret) {
    return cid + "." + secret + ".";
  }

  /** Reads an id, or answers null for a text that is none. */
  static @Nullable ResumeId parse(String text) {
    int first = text.indexOf('.');
    int second = text.indexOf('.', first + 1);
    if (text.length() > MAX_LENGTH || first < 0 || second < 0) {
      return null;
    }
    String digits = text.substring(second + 1);
    // One event has one id: no leading zero, no digits of other scripts.
    if (digits.isEmpty()
        || digits.length() > 18
        || digits.charAt(0) == '0'
        || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return null;
    }
    return new ResumeId(
        text.substring(0, first), text.substring(first + 1, second), Long.parseLong(digits));
  }

  /** The channel and the number: the rest is secret. */
  @Override
  public String toString() {
    return "ResumeId[" + cid + ", " + number + "]";
  }
}
