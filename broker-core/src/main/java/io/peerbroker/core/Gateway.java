package io.peerbroker.core;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The broker as a transport sees it, which connects clients outside this JVM. {@link
 * Broker#gateway()} returns one; everything that applications need is on {@link Broker} itself.
 *
 * <p>The gateway of a caller's view ({@link Broker#forCaller}) acts for that caller: the policy is
 * asked about each operation. If it refuses, the operation is refused with its refusal, usually
 * {@code denied}; if it fails, with {@code internal}. A gateway holds no resources and may be
 * created for each request.
 *
 * <p>Safe for use by many threads; no method blocks.
 */
public interface Gateway {

  /**
   * Opens a channel whose events go to a transport's stream, or continues one whose stream has
   * broken. The first event of a new channel is {@link Event.Opened}. A continued channel sends
   * every event after the last one that its client has seen, and its first grants stand. A stream
   * that is still attached then gives way ({@link CloseReason#SUPERSEDED}). If the channel cannot
   * be continued, because too much time has passed, too much was sent, or the id is not from this
   * broker, the result is a new channel.
   *
   * @param opener creates the stream; called at most once, before the stage completes, and only if
   *     the channel was not refused: on this thread, or on another one if the channel to continue
   *     must be looked up
   * @return the channel. The stage fails with the {@link RefusedException} itself ({@code
   *     at_capacity}, {@code shutting_down}, or the policy's refusal), or with the exception of
   *     {@code opener}: then no new channel exists, and the channel to continue waits again
   */
  CompletionStage<Channel> openChannel(ChannelOptions options, Transport.Opener opener);

  /**
   * Opens a watch whose events go to a transport's stream.
   *
   * @param opener creates the stream; called once, before this returns, only if the watch was not
   *     refused. Its exception is rethrown
   * @return the watch, which ends when it is closed
   * @throws RefusedException {@code at_capacity}, {@code shutting_down}, or the policy's refusal
   */
  Watch watch(TagFilter filter, Transport.Opener opener);

  /**
   * Returns a page of the list, as {@link Broker#list(TagFilter, int, String)}, to be written as
   * fast as its reader takes it: it is read piece by piece, and meanwhile only the numbers of its
   * sessions are kept.
   *
   * @throws RefusedException {@code invalid_request} for a limit out of range or a cursor that no
   *     page has returned, {@code shutting_down}, or the policy's refusal
   */
  PageReader readPage(TagFilter filter, int limit, @Nullable String after);

  /**
   * Performs what a client asks for. It is refused for what fails first, in this order: the sizes
   * of messages and metadata and the number of tags; {@code shutting_down}; a key that is missing
   * though the broker requires it; the existence of the acting channel; its key; the request's
   * number; what the policy says; the existence of the session or the target; whether the session
   * is the channel's own; the rate; the room. An update is put to the policy behind its session,
   * since before there is nothing to ask about. The rest of the protocol's order is the adapter's.
   *
   * <p>What the client has seen ({@link Request.Actor#seen()}) is noted once its key was right,
   * whatever becomes of the request.
   *
   * @return complete at once, unless messages are sent and a {@link Router} of the application
   *     takes its time; {@code internal} where that is more than 30 s. A refusal is an answer
   *     ({@link Answer.Refused}), for whatever reason. The stage fails only with a fault of the
   *     broker's own, and nothing is thrown. If the broker closes while a router takes its time,
   *     the stage may never complete
   */
  CompletionStage<Answer> perform(Request request);

  /**
   * Returns the policy: {@link AccessPolicy#allowAll()} itself if the builder was given none, so
   * that an adapter need not create callers. Otherwise a policy that asks the given one and throws
   * only {@link RefusedException}.
   */
  AccessPolicy policy();

  /** Returns the broker's only timer, which its adapters share. */
  Timer timer();

  /** Returns the bounds of the broker, as {@link Broker#limits()}. */
  Limits limits();
}
