package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The broker: it carries messages between parties that are not connected yet.
 *
 * <p>Each of two parties opens a {@link Channel}. One hosts a {@link Session}, the other finds it
 * by its tags, and the broker carries the few small messages that set up a direct connection
 * between them. Parties in this JVM use the methods that take a {@link Receiver} or a {@link
 * Watcher}; parties behind a wire are brought in by an adapter through {@link #gateway()}. Both
 * kinds meet on one broker.
 *
 * <p>If the application decides with an {@link AccessPolicy} what each caller may do, the callers
 * that it must decide about act through {@link #forCaller}.
 *
 * <p>Everything is safe for use by many threads at once, and no method blocks but {@link #close()}.
 * Whatever a stranger can grow is bounded by {@link #limits()}. Nothing survives the process.
 */
public interface Broker extends AutoCloseable {

  /** Returns a builder with every setting at its default. */
  static BrokerBuilder builder() {
    return new BrokerBuilder();
  }

  /** Returns a broker with the default settings. */
  static Broker create() {
    return builder().build();
  }

  /**
   * Opens a channel for a party in this JVM, on the broker's own few daemon threads.
   *
   * <p>It is the application's own: it has no rate and no bound on sessions, its sessions and its
   * queue need no room in what strangers share, and it is counted apart from theirs, so that they
   * cannot take its place. The bounds on a single message, session or queue hold for it as well.
   * For a caller that the application does not trust, open the channel through {@link #forCaller}:
   * it has all the bounds of a stranger's channel, with or without a policy.
   *
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Channel openChannel(Receiver receiver);

  /**
   * Opens a channel for a party in this JVM: the application's own, as {@link
   * #openChannel(Receiver)}.
   *
   * @param executor where the receiver is called, one event at a time. If it rejects a task, or
   *     does not begin one within about a minute ({@link CloseReason#STALLED}), the channel closes
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Channel openChannel(Receiver receiver, Executor executor);

  /**
   * Returns the open channel that an id stands for: its own, or that of one of its sessions. Null
   * if there is none. For the application: it takes no key, and an id that comes from a client does
   * not prove that the channel is that client's.
   *
   * @throws UnsupportedOperationException on a view ({@link #forCaller})
   */
  @Nullable Channel findChannel(String id);

  /**
   * Returns the session with this id, or null if there is none. For the application, as {@link
   * #findChannel}.
   *
   * @throws UnsupportedOperationException on a view ({@link #forCaller})
   */
  @Nullable Session findSession(String sid);

  /**
   * Returns the open channels that a login has opened ({@link Channel#owner()}), in no order; for
   * example, to close them when the user loses access. It looks at all channels and takes no lock.
   * For the application, as {@link #findChannel}.
   *
   * @throws UnsupportedOperationException on a view ({@link #forCaller})
   */
  List<Channel> channelsOf(String owner);

  /**
   * Returns the first {@value Page#DEFAULT_LIMIT} listed sessions that pass a filter, in order of
   * creation.
   */
  default Page list(TagFilter filter) {
    return list(filter, Page.DEFAULT_LIMIT, null);
  }

  /**
   * Returns a page of the listed sessions that pass a filter, in order of creation.
   *
   * @param limit the most sessions on the page, 1 to {@value Page#MAX_LIMIT}; a page also ends
   *     early, before {@value Page#MAX_BYTES} bytes
   * @param after the {@link Page#next()} of the page before, or null for the first
   * @throws RefusedException {@code invalid_request} for a limit out of range, or a cursor that
   *     does not come from a page
   */
  Page list(TagFilter filter, int limit, @Nullable String after);

  /**
   * Watches the list live, on the broker's own few daemon threads: first what is there, then every
   * change. The watch is the application's own, and counted apart from those of strangers.
   *
   * @return the watch, to close it; the watcher is then notified of {@link CloseReason#CLOSED}
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Watch watch(TagFilter filter, Watcher watcher);

  /**
   * Watches the list live: the application's own watch, as {@link #watch(TagFilter, Watcher)}.
   *
   * @param executor where the watcher is called, one event at a time. If it rejects a task, or does
   *     not begin one within about a minute ({@link CloseReason#STALLED}), the watch ends
   * @return the watch, to close it; the watcher is then notified of {@link CloseReason#CLOSED}
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Watch watch(TagFilter filter, Watcher watcher, Executor executor);

  /**
   * Watches the list and comes back by itself, on the broker's own few daemon threads. As {@link
   * #keepWatching(TagFilter, Watcher, Executor)}.
   *
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Watch keepWatching(TagFilter filter, Watcher watcher);

  /**
   * Watches the list and comes back by itself: where a watch would end with {@link
   * CloseReason#OVERFLOW} or {@link CloseReason#SCOPE_CHANGED}, the list starts anew after a pause,
   * and the watcher is notified by {@link Watcher#restarted()}. A first pause takes at most 100 ms,
   * each further one up to twice as long, at most 30 s; they begin anew once a watch has lasted for
   * 30 s. While the broker is full it is tried again in the same way.
   *
   * <p>It ends, once, for every other reason: when it is closed, when the broker shuts down, and
   * with {@link CloseReason#SCOPE_CHANGED} if the {@link AccessPolicy} refuses the caller the new
   * list.
   *
   * @param executor where the watcher is called, one event at a time, as for {@link
   *     #watch(TagFilter, Watcher, Executor)}
   * @return the watch, to close it; the watcher is then notified of {@link CloseReason#CLOSED}
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}, for the first list
   */
  Watch keepWatching(TagFilter filter, Watcher watcher, Executor executor);

  /**
   * Returns a view of this broker on which the {@link AccessPolicy} authorizes every operation for
   * {@code caller}, including those on the channels and watches that the view returns. The broker
   * itself acts as {@link Caller#trusted()}.
   *
   * <p>A view holds nothing: it may be made for each request, and is the broker itself if the
   * caller is trusted. Without a policy it permits everything, within the bounds that hold for
   * strangers. Two views may give different objects for one channel; compare the channel's id.
   * Closing a view closes the broker.
   *
   * <p>Each method then also throws the policy's refusals, most often {@code denied}, and {@code
   * internal} for a policy that fails.
   */
  Broker forCaller(Caller caller);

  /**
   * Asks the {@link AccessPolicy} again about the scope of every watch whose caller is not trusted.
   * Call it when a caller's rights have changed. If the filter has changed, or a predicate has come
   * or gone, or the policy refuses or fails, the watch ends with {@link CloseReason#SCOPE_CHANGED},
   * so that its reader comes back with its new rights. If there is still a predicate, the new one
   * is applied to the whole list: hidden sessions are removed and visible ones added, on the
   * broker's own threads, and perhaps after this has returned. From then on, no session is newly
   * shown that the new predicate hides.
   *
   * <p>The policy is asked on this thread; if another thread is just asking about one of the
   * watches, that thread asks once more. Channels and sessions are not touched. The policy must not
   * call this from within {@link AccessPolicy#scope}.
   */
  void recheck();

  /**
   * Returns the STUN and TURN servers for a peer connection, with credentials that are good from
   * now on: on a view those for its caller, otherwise those for the application itself.
   *
   * @throws RefusedException what the application's {@link IceServers} refuse; {@code internal} if
   *     they fail
   */
  IceConfiguration iceServers();

  /**
   * Returns what the broker holds now and has done so far: a snapshot, for metrics. Takes no lock
   * and may be called at any time, also after the broker has closed; it costs about a hundred
   * additions.
   */
  BrokerStats stats();

  /** Returns whether the broker accepts new work: true until {@link #close()} is called. */
  boolean isOpen();

  /** Returns the bounds that this broker keeps. */
  Limits limits();

  /**
   * Returns the door for transports, which bring in clients that are not in this JVM. The gateway
   * of a view ({@link #forCaller}) acts for that view's caller.
   */
  Gateway gateway();

  /**
   * Shuts the broker down: refuses new work with {@code shutting_down}, delivers what is queued for
   * each stream, ends it with {@link CloseReason#SHUTTING_DOWN}, and waits for the streams to end
   * for at most {@link Limits#drainTimeout()}. Blocks for that time. A second call does nothing.
   * Call it before the container stops its connectors, and not on a thread on which a receiver
   * runs.
   */
  @Override
  void close();
}
