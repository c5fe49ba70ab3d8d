package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The broker: channels are opened on it, and sessions found.
 *
 * <p>Two parties that cannot reach each other yet each open a {@link Channel}. One of them hosts a
 * {@link Session} that the other finds by its tags, and the broker carries the few small messages
 * between them that set up a direct connection. Parties in this JVM use the methods that take a
 * {@link Receiver} or a {@link Watcher}; parties behind a wire are brought in by an adapter through
 * {@link #gateway()}. Both kinds meet on one broker.
 *
 * <p>Where the application decides who may do what, with an {@link AccessPolicy}, callers that it
 * is to be asked about act through {@link #forCaller}.
 *
 * <p>Everything is safe for use by many threads at once, and no method blocks but {@link #close()}.
 * Whatever a stranger can grow is bounded by {@link #limits()}. Nothing survives the process.
 */
public interface Broker extends AutoCloseable {

  /** A builder with every setting at its default. */
  static BrokerBuilder builder() {
    return new BrokerBuilder();
  }

  /** A broker with the default settings. */
  static Broker create() {
    return builder().build();
  }

  /**
   * Opens a channel for a party in this JVM, on the broker's own few daemon threads.
   *
   * <p>It is the application's own: it has no rate and no bound of sessions, its sessions and its
   * queue need no room in what strangers share, and it is counted apart from theirs, so that they
   * cannot take its permit. What bounds a single message, session or queue holds for it as well. A
   * channel for somebody whom the application does not trust is opened through {@link #forCaller}:
   * that has all the bounds of a stranger's, with a policy or without.
   *
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Channel openChannel(Receiver receiver);

  /**
   * Opens a channel for a party in this JVM: the application's own, as the other.
   *
   * @param executor where the receiver is called, one event at a time; if it rejects a task, or has
   *     not begun one within a minute or so ({@link CloseReason#STALLED}), the channel closes
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Channel openChannel(Receiver receiver, Executor executor);

  /**
   * Returns the open channel that an id stands for: its own, or that of one of its sessions. Null
   * where there is none. For the application: it takes no key, and an id that comes from a client
   * does not prove that the channel is that client's.
   *
   * @throws UnsupportedOperationException on a view ({@link #forCaller})
   */
  @Nullable Channel findChannel(String id);

  /**
   * Returns the session with this id, or null where there is none. For the application, as {@link
   * #findChannel}.
   *
   * @throws UnsupportedOperationException on a view ({@link #forCaller})
   */
  @Nullable Session findSession(String sid);

  /**
   * Returns the open channels that a login has opened ({@link Channel#owner()}), in no order: to be
   * closed when it may be here no more, say. It looks at all channels, and takes no lock. For the
   * application, as {@link #findChannel}.
   *
   * @throws UnsupportedOperationException on a view ({@link #forCaller})
   */
  List<Channel> channelsOf(String owner);

  /**
   * The first {@value Page#DEFAULT_LIMIT} listed sessions that pass a filter, in order of creation.
   */
  default Page list(TagFilter filter) {
    return list(filter, Page.DEFAULT_LIMIT, null);
  }

  /**
   * A page of the listed sessions that pass a filter, in order of creation.
   *
   * @param limit at most so many, 1 to {@value Page#MAX_LIMIT}; a page also ends early, before
   *     {@value Page#MAX_BYTES} bytes
   * @param after the {@link Page#next()} of the page before, or null for the first
   * @throws RefusedException {@code invalid_request} for a limit out of range or a cursor that no
   *     page has given
   */
  Page list(TagFilter filter, int limit, @Nullable String after);

  /**
   * Watches the list live, on the broker's own few daemon threads: first what is there, then every
   * change. The watch is the application's own, and counted apart from those of strangers.
   *
   * @return ends the watch when closed; the watcher is then told {@link CloseReason#CLOSED}
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Watch watch(TagFilter filter, Watcher watcher);

  /**
   * Watches the list live: the application's own watch, as the other.
   *
   * @param executor where the watcher is called, one event at a time; if it rejects a task, or has
   *     not begun one within a minute or so ({@link CloseReason#STALLED}), the watch ends
   * @return ends the watch when closed; the watcher is then told {@link CloseReason#CLOSED}
   * @throws RefusedException {@code at_capacity} or {@code shutting_down}
   */
  Watch watch(TagFilter filter, Watcher watcher, Executor executor);

  /**
   * A view of this broker through which somebody acts about whom the {@link AccessPolicy} is asked:
   * who opens a channel or a watch through it, and what he does with a channel that it has given
   * him, is that caller. The broker itself acts as {@link Caller#trusted()}.
   *
   * <p>A view holds nothing: it may be made for each request, and is the broker itself where the
   * caller is trusted. Without a policy it permits everything, within the bounds that hold for
   * strangers. Two views may give different objects for one channel; its id is what tells. To close
   * a view closes the broker.
   *
   * <p>What each method throws then includes what the policy refuses with, most often {@code
   * denied}, and {@code internal} for a policy that fails.
   */
  Broker forCaller(Caller caller);

  /**
   * Asks the {@link AccessPolicy} anew what they may see, for all watches whose caller is not
   * trusted: to be called when somebody's rights have changed. Where the filter has changed, or
   * whether there is a predicate, or the policy refuses, the watch ends with {@link
   * CloseReason#SCOPE_CHANGED}, so that its reader comes back under his new rights. Where there is
   * a predicate still, the list is gone through again with the new one: what is to be seen no more
   * is removed, and what is to be seen now is added: on the broker's own threads, and perhaps after
   * this has returned; from then on nothing new is shown that the new one hides. Where asking
   * fails, the watch ends in the same way.
   *
   * <p>The policy is asked on this thread; where another thread is just doing so for one of them,
   * it asks once more. Channels and sessions are not touched. Not to be called by the policy from
   * within {@link AccessPolicy#scope}.
   */
  void recheck();

  /**
   * What the broker holds now and has done so far: a snapshot, for metrics. Takes no lock and may
   * be called at any time, also after the broker has closed; it costs some hundred additions.
   */
  BrokerStats stats();

  /** Returns whether the broker takes what is new: until {@link #close()} is called. */
  boolean isOpen();

  /** The bounds that this broker keeps. */
  Limits limits();

  /**
   * Returns the door for those who write a transport: what brings in clients that are not in this
   * JVM. That of a view ({@link #forCaller}) acts for its caller.
   */
  Gateway gateway();

  /**
   * Shuts the broker down: refuses what is new with {@code shutting_down}, lets every stream have
   * what is queued for it and tells it {@link CloseReason#SHUTTING_DOWN}, and waits for the streams
   * to end for at most {@link Limits#drainTimeout()}. Blocks for that time; may be called again,
   * then it does nothing. To be called before a container stops its connectors, and not on a thread
   * that a receiver runs on.
   */
  @Override
  void close();
}
