package io.peerbroker.core;

import java.time.Duration;

/** The broker's refusals: their texts, and the times after which a retry may succeed. */
final class Refusals {

  /** How long until the broker may have room again, or another broker may have replaced it. */
  private static final Duration LATER = Duration.ofSeconds(5);

  /** How long until one reader may have read. */
  private static final Duration SOON = Duration.ofSeconds(1);

  private Refusals() {}

  static Refusal shuttingDown() {
    return new Refusal(Refusal.Code.SHUTTING_DOWN, "The broker is shutting down.", LATER);
  }

  /**
   * @param what the things that all permits are taken for
   */
  static Refusal full(int max, String what) {
    return new Refusal(
        Refusal.Code.AT_CAPACITY, "The broker is full: " + max + " " + what + " are open.", LATER);
  }

  static Refusal sessionsFull() {
    return new Refusal(
        Refusal.Code.AT_CAPACITY, "The broker is full of sessions, tags and metadata.", LATER);
  }

  static Refusal listTooLong(long bytes, long max) {
    return new Refusal(
        Refusal.Code.AT_CAPACITY,
        "This list is too long for a caller that may see only part of it: to remember what was sent takes "
            + bytes
            + " bytes, of at most "
            + max
            + ". Use a filter with a rarer tag.",
        LATER);
  }

  static Refusal lowerNumber(long number, long last) {
    return Refusal.of(
        Refusal.Code.INVALID_REQUEST,
        "The member 'seq' is "
            + number
            + ", but this channel has had "
            + last
            + ": a new request needs a greater number.");
  }

  static Refusal unknownChannel() {
    return Refusal.of(
        Refusal.Code.UNKNOWN_CHANNEL,
        "No channel has this id; it may have closed. Open one first.");
  }

  static Refusal sessionForChannel() {
    return Refusal.of(
        Refusal.Code.UNKNOWN_CHANNEL, "This is the id of a session; give that of its channel.");
  }

  static Refusal hostClosed() {
    return Refusal.of(Refusal.Code.UNKNOWN_CHANNEL, "The host channel has closed.");
  }

  static Refusal foreignOrigin() {
    return Refusal.of(
        Refusal.Code.UNKNOWN_CHANNEL,
        "The origin is neither this channel nor one of its sessions; it may have closed.");
  }

  static Refusal unknownSession() {
    return Refusal.of(Refusal.Code.UNKNOWN_SESSION, "No session has this id; it may have closed.");
  }

  static Refusal sessionClosed() {
    return Refusal.of(Refusal.Code.UNKNOWN_SESSION, "The session has been closed.");
  }

  static Refusal unknownTarget() {
    return Refusal.of(
        Refusal.Code.UNKNOWN_TARGET, "No channel or session has this id; it may have closed.");
  }

  static Refusal wrongKey() {
    return Refusal.of(
        Refusal.Code.WRONG_KEY,
        "The key is not that of the channel; it is in the 'channel' event that the channel began with.");
  }

  static Refusal wrongHost() {
    return Refusal.of(
        Refusal.Code.WRONG_KEY,
        "Another channel hosts this session; only that channel may change it.");
  }

  static Refusal keyNeededByBroker() {
    return Refusal.of(
        Refusal.Code.INVALID_REQUEST,
        "The member 'key' is missing: this broker requires the channel's key for every session.");
  }

  static Refusal keyNeededByChannel() {
    return Refusal.of(
        Refusal.Code.INVALID_REQUEST,
        "The member 'key' is missing: a session on this channel requires the channel's key.");
  }

  static Refusal badLimit() {
    return Refusal.of(
        Refusal.Code.INVALID_REQUEST, "'limit' must be from 1 to " + Page.MAX_LIMIT + ".");
  }

  static Refusal tooManySessions(int max) {
    return Refusal.of(
        Refusal.Code.TOO_MANY_SESSIONS,
        "A channel hosts at most " + max + " sessions; close one first.");
  }

  static Refusal tooManyWatches(int max) {
    return Refusal.of(
        Refusal.Code.TOO_MANY_WATCHES,
        "A channel's stream carries at most " + max + " lists; end one first.");
  }

  static Refusal unwatchedUnread(int unread) {
    return new Refusal(
        Refusal.Code.TOO_MANY_WATCHES,
        "The channel's stream has not read yet that " + unread + " of its lists have ended.",
        SOON);
  }

  static Refusal watchedOtherwise(String name) {
    return Refusal.of(
        Refusal.Code.INVALID_REQUEST,
        "The channel has a list "
            + Refusal.quote(name)
            + " with another filter; end that one first, or choose another name.");
  }

  static Refusal watchInJvm() {
    return Refusal.of(
        Refusal.Code.INVALID_REQUEST,
        "The reader of this channel is in the broker's JVM; it watches with Broker.watch.");
  }

  static Refusal sessionsTooFast(Limits.Rate rate, Duration retryAfter) {
    return new Refusal(
        Refusal.Code.RATE_LIMITED,
        "This channel changes its sessions faster than " + rate.perSecond() + " a second.",
        retryAfter);
  }

  static Refusal messagesTooFast(Limits.Rate rate, Duration retryAfter) {
    return new Refusal(
        Refusal.Code.RATE_LIMITED,
        "This channel sends faster than " + rate.perSecond() + " messages a second.",
        retryAfter);
  }

  static Refusal targetBusy() {
    return new Refusal(
        Refusal.Code.TARGET_BUSY,
        "The target's queue is full: it has not read earlier messages.",
        SOON);
  }

  static Refusal tooMuchWaiting(long max) {
    return new Refusal(
        Refusal.Code.RATE_LIMITED,
        "This channel has "
            + max
            + " bytes waiting for targets that are away, which is the most that it may have.",
        SOON);
  }

  static Refusal queuesFull() {
    return new Refusal(
        Refusal.Code.AT_CAPACITY, "The broker's queues are full of undelivered messages.", SOON);
  }

  static Refusal outcomeUnknown() {
    return Refusal.of(
        Refusal.Code.INTERNAL,
        "The channel has moved to another broker while this request was performed; whether it was"
            + " performed is not known.");
  }

  static Refusal unroutable() {
    return Refusal.of(Refusal.Code.INTERNAL, "The message could not be routed.");
  }
}
