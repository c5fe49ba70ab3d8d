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
 * <p>A policy is asked when all that the caller can get wrong by itself has been looked at (the
 * form of the request, the acting channel, its key), and before it is known whether there is room
 * or, for a message, a target: a denied caller does not learn that. It is called on the caller's
 * thread, for HTTP one of the container's, outside all locks, by many threads at once; it may call
 * the broker, and must not block, since what it waits for the request waits for too. What needs a
 * database is better looked up at login, and kept in the principal.
 *
 * <p>What was permitted once is not taken back: a channel stays open and a session stays listed
 * until the application closes it. But each further thing is asked about anew, and watches are
 * narrowed again by {@link Broker#recheck()}. Closing one's own channel or session, and confirming
 * what one has seen, is everybody's right.
 */
public interface AccessPolicy {

  /** The policy that permits everything: the default. It is never asked, so it costs nothing. */
  static AccessPolicy allowAll() {
    return GuardedPolicy.ALLOW_ALL;
  }

  /**
   * A plain no, to be thrown: {@code denied}, over HTTP 403.
   *
   * @param detail what would be right, for the caller to read; no secrets
   */
  static RefusedException denied(String detail) {
    return RefusedException.of(Refusal.Code.DENIED, detail);
  }

  /**
   * Whether a caller may open a channel, or go on with one: a client that comes back is asked about
   * like a new one, and one that is refused then leaves the channel as it was.
   *
   * @param options what the client asks for; whether it comes back is in {@link
   *     ChannelOptions#lastEventId()}, which is as good as a key
   * @throws RefusedException to refuse it
   */
  default void open(Caller caller, ChannelOptions options) {}

  /**
   * Whether a caller may host a session, and as what. Tags that nobody but the application may set
   * are set here, and taken off what came from the client.
   *
   * @param channel the host to be. The caller has shown its key, unless the broker takes sessions
   *     without one ({@link BrokerBuilder#requireSessionKey}); what the policy does with it is
   *     trusted
   * @param spec what the caller asks for
   * @return the session that is hosted: {@code spec} itself, or another. It is checked against
   *     {@link Limits} again, so tags that are added here count too
   * @throws RefusedException to refuse it
   */
  default SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
    return spec;
  }

  /**
   * Whether a caller may change a session, and how. Where tags are set in {@link #host}, they must
   * be set here as well: an update that names tags replaces all that there are.
   *
   * @param session one that is there and is hosted by the caller's channel, as it is now; what the
   *     policy does with it is trusted
   * @param update what the caller asks for
   * @return the update that is made: {@code update} itself, or another, checked against {@link
   *     Limits} again
   * @throws RefusedException to refuse it
   */
  default SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
    return update;
  }

  /**
   * Whether a caller may send a message. Asked for each, before it is known whether its target is
   * there; its origin is the caller's.
   *
   * @throws RefusedException to refuse it
   */
  default void send(Caller caller, Message message) {}

  /**
   * Whether a caller may send a message to this target: what the broker calls, and what asks {@link
   * #send(Caller, Message)} unless it is overridden. For policies that decide by who the target is,
   * as where tenants must not reach each other.
   *
   * @param target what the message's target is in this broker, or null where it is not here: then
   *     it has closed, has never been, or is where an application's {@link Router} finds it. A
   *     policy that refuses some targets refuses null with the same words, or its callers learn who
   *     is there
   * @throws RefusedException to refuse it
   */
  default void send(Caller caller, Message message, @Nullable Target target) {
    send(caller, message);
  }

  /**
   * Where a message goes.
   *
   * @param channel the channel that will read it, with its owner and its sessions; what the policy
   *     does with it is trusted
   * @param session the session that it was sent to, or null where it was sent to the channel
   */
  record Target(Channel channel, @Nullable Session session) {}

  /**
   * What a caller may see of the list. Asked once for each page and each watch, and again for those
   * at {@link Broker#recheck()}, where a refusal ends them.
   *
   * @param filter what the caller asks for. It is narrowed by the answer in any case: the answer
   *     need not repeat it
   * @throws RefusedException to refuse the list as a whole
   */
  default Scope scope(Caller caller, TagFilter filter) {
    return Scope.all();
  }
}
