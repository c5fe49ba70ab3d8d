package io.peerbroker.core;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The broker as those see it who write a transport: what brings in clients that are not in this
 * JVM. {@link Broker#gateway()} returns one; everything that applications need is on {@link Broker}
 * itself.
 *
 * <p>The gateway of a caller's view ({@link Broker#forCaller}) acts for that caller: the policy is
 * asked about each thing, and what it refuses is refused with what it says, most often {@code
 * denied}, and with {@code internal} where it fails. A gateway holds nothing and may be made for
 * each request.
 *
 * <p>Safe for use by many threads; no method blocks.
 */
public interface Gateway {

  /**
   * Opens a channel whose events go down a transport's stream, or goes on with one whose stream has
   * broken. The first event of a new channel is {@link Event.Opened}; one that goes on is given
   * every event after the last that its client has seen, and what was granted at first stands. A
   * stream that is still attached then gives way ({@link CloseReason#SUPERSEDED}). Where there is
   * nothing to go on with, because too much time has passed, too much has been sent, or the id is
   * none of this broker's, the channel is a new one.
   *
   * @param opener makes the stream; called at most once, before the stage completes, and only if
   *     the channel was not refused: on this thread, or on another where the channel to go on with
   *     has to be looked for
   * @return the channel. The stage fails with the {@link RefusedException} itself ({@code
   *     at_capacity}, {@code shutting_down}, or what the policy says), or with what {@code opener}
   *     has thrown: then a new channel has never been, and one that was to go on waits again
   */
  CompletionStage<Channel> openChannel(ChannelOptions options, Transport.Opener opener);

  /**
   * Watches the list, and sends what it shows down a transport's stream.
   *
   * @param opener makes the stream; called once, before this returns, only if the watch was not
   *     refused. What it throws comes out here
   * @return ends the watch when closed
   * @throws RefusedException {@code at_capacity}, {@code shutting_down}, or what the policy says
   */
  Watch watch(TagFilter filter, Transport.Opener opener);

  /**
   * Returns a page of the list, as {@link Broker#list(TagFilter, int, String)}, to be written as
   * fast as its reader takes it: it is fetched piece by piece, and nothing of it is kept meanwhile
   * but which sessions are on it.
   *
   * @throws RefusedException {@code invalid_request} for a limit out of range or a cursor that no
   *     page has given, {@code shutting_down}, or what the policy says
   */
  PageReader readPage(TagFilter filter, int limit, @Nullable String after);

  /**
   * Performs what a client asks for. It is refused for what fails first, in this order: the sizes
   * of messages and metadata and the number of tags; the existence of the acting channel; its key;
   * what the policy says; the existence of the session or the target; whether the session is the
   * channel's own; the rate; the room. An update is put to the policy behind its session, since
   * before there is nothing to ask about. The rest of the protocol's order is the adapter's.
   *
   * <p>What the client has seen ({@link Request.Actor#seen()}) is noted once its key was right,
   * whatever becomes of the request.
   *
   * @return complete at once, unless messages are sent and a {@link Router} of the application
   *     takes its time; {@code internal} where that is more than 30 s. A refusal is an answer
   *     ({@link Answer.Refused}), for whatever reason. The stage fails only with a fault of the
   *     broker's own, and nothing is thrown
   */
  CompletionStage<Answer> perform(Request request);

  /**
   * Returns the policy: {@link AccessPolicy#allowAll()} itself where the builder was given none, so
   * that an adapter can spare making callers. Else one that asks what the builder was given, and
   * throws nothing but {@link RefusedException}.
   */
  AccessPolicy policy();

  /** Returns the one timer of the broker, which its adapters share. */
  Timer timer();

  /** Returns the bounds that the broker keeps, as {@link Broker#limits()}. */
  Limits limits();
}
