package io.peerbroker.core;

import org.jspecify.annotations.Nullable;

/**
 * The application's decision about what each caller may do, with its own login: set with {@link
 * BrokerBuilder#accessPolicy}, asked about every {@link Caller} but the {@link Caller#trusted()
 * trusted} one.
 *
 * <p>Each method permits everything unless it is overridden. It refuses by throwing a {@link
 * RefusedException}: {@link #denied} for a plain refusal. Any other refusal reaches the caller
 * unchanged, so that a policy can refuse with {@code rate_limited} and a time. Any other exception,
 * and a null that must not be returned, is a fault of the policy: the caller gets {@code internal}
 * and no details, the log has them, and the operation does not happen.
 *
 * <p>A policy is asked after everything that the caller can get wrong by itself has been checked
 * (the form of the request, the acting channel, its key), and before the broker looks for room or
 * for a message's target: a denied caller learns of neither. It is called on the caller's thread
 * (for HTTP, a thread of the container's), outside all locks, by many threads at once. It may call
 * the broker. It must not block, since the request waits for it; look up what needs a database at
 * login, and keep it in the principal.
 *
 * <p>A permission is not taken back: a channel stays open and a session stays listed until the
 * application closes it. But each further operation is asked about anew, and {@link
 * Broker#recheck()} narrows watches again. Every caller may close its own channel and sessions, and
 * confirm what it has seen.
 */
public interface AccessPolicy {

  /** Returns the policy that permits everything: the default. It is never asked, and is free. */
  static AccessPolicy allowAll() {
    return GuardedPolicy.ALLOW_ALL;
  }

  /**
   * Returns a plain refusal to throw: {@code denied}, over HTTP 403.
   *
   * @param detail what would be right; the caller reads it, so it must hold no secrets
   */
  static RefusedException denied(String detail) {
    return RefusedException.of(Refusal.Code.DENIED, detail);
  }

  /**
   * Decides whether a caller may open a channel, or continue one: a client that comes back is asked
   * about like a new one. If it is refused, the channel stays as it was.
   *
   * @param options what the client asks for; whether it comes back is in {@link
   *     ChannelOptions#lastEventId()}, which is as good as a key
   * @throws RefusedException to refuse it
   */
  default void open(Caller caller, ChannelOptions options) {}

  /**
   * Decides whether a caller may host a session, and with which properties. This is where tags are
   * set that only the application may set, and where they are removed from what a client sent.
   *
   * @param channel the channel that will host it. The caller has shown its key, unless the broker
   *     accepts sessions without one ({@link BrokerBuilder#requireSessionKey}). What the policy
   *     does with the channel is not authorized again
   * @param spec what the caller asks for
   * @return the session that is hosted: {@code spec} itself, or another. It is checked against
   *     {@link Limits} again, so tags that are added here count as well
   * @throws RefusedException to refuse it
   */
  default SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
    return spec;
  }

  /**
   * Decides whether a caller may change a session, and how. If {@link #host} sets tags, this must
   * set them as well: an update that names tags replaces all of them.
   *
   * @param session the session before the update, hosted by the caller's channel. What the policy
   *     does with it is not authorized again
   * @param update what the caller asks for
   * @return the update that is made: {@code update} itself, or another, checked against {@link
   *     Limits} again
   * @throws RefusedException to refuse it
   */
  default SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
    return update;
  }

  /**
   * Decides whether a caller may send a message. Asked for each message, before its target is
   * looked for. The origin is the caller's own.
   *
   * @throws RefusedException to refuse it
   */
  default void send(Caller caller, Message message) {}

  /**
   * Decides whether a caller may send a message to this target. The broker calls this method, which
   * asks {@link #send(Caller, Message)} unless it is overridden. It is for policies that decide by
   * the target, for example to keep tenants apart.
   *
   * @param target the message's target in this broker, or null if it is not here: it has closed,
   *     has never existed, or only the application's {@link Router} finds it. A policy that refuses
   *     some targets must refuse null with the same words, or its callers learn which ids exist
   * @throws RefusedException to refuse it
   */
  default void send(Caller caller, Message message, @Nullable Target target) {
    send(caller, message);
  }

  /**
   * The target of a message.
   *
   * @param channel the channel that will read it, with its owner and its sessions. What the policy
   *     does with it is not authorized again
   * @param session the session that it was sent to, or null if it was sent to the channel
   */
  record Target(Channel channel, @Nullable Session session) {}

  /**
   * Returns which part of the list a caller may see. Asked once for each page and each watch, and
   * again for each watch at {@link Broker#recheck()}, where a refusal ends it. A list that a
   * channel's stream carries ({@link Request.Watch}) is a new watch on each of its streams: when
   * the client comes back, this is asked about the caller that comes back.
   *
   * @param filter what the caller asks for. The caller sees only sessions that pass this filter and
   *     the returned scope, so the scope need not repeat it
   * @throws RefusedException to refuse the list as a whole
   */
  default Scope scope(Caller caller, TagFilter filter) {
    return Scope.all();
  }
}
