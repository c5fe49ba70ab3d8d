package io.peerbroker.core;

import java.security.Principal;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The broker's operations for one caller: the policy is asked first, unless the caller is trusted.
 */
record LocalGateway(LocalBroker broker, Caller caller) implements Gateway {

  @Override
  public CompletionStage<Channel> openChannel(ChannelOptions options, Transport.Opener opener) {
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(opener, "opener");
    try {
      checkOpen(options);
      return CompletableFuture.completedFuture(
          acting(broker.openChannel(options, opener, caller, owner())));
    } catch (Throwable failed) {
      // Errors of the opener too: the stage is the only way to report them.
      return CompletableFuture.failedFuture(failed);
    }
  }

  /** Asks whether the caller may open a channel. */
  void checkOpen(ChannelOptions options) {
    permitted(
        () -> {
          if (!isTrusted()) {
            policy().open(caller, options);
          }
          return options;
        });
  }

  /** Returns the name of the caller's login, if there is one. */
  @Nullable String owner() {
    Principal principal = caller.principal();
    return principal == null ? null : principal.getName();
  }

  /** Returns a channel as the caller holds it. */
  Channel acting(LocalChannel channel) {
    return isTrusted()
        ? channel
        : new AuthorizedChannel(channel, policy(), broker.directory, caller);
  }

  private boolean isTrusted() {
    return caller == Caller.trusted();
  }

  /**
   * Returns the caller's ICE servers.
   *
   * @param channel the channel that asks, or null
   */
  IceConfiguration iceServers(@Nullable Channel channel) {
    return permitted(channel, () -> broker.iceServers(caller));
  }

  /** Runs an operation that may be refused, and counts a refusal. */
  private <T> T permitted(Supplier<T> question) {
    return permitted(null, question);
  }

  private <T> T permitted(@Nullable Channel channel, Supplier<T> question) {
    try {
      broker.streams.checkRunning();
      return question.get();
    } catch (RefusedException refused) {
      throw broker.refused(channel, refused);
    }
  }

  @Override
  public Watch watch(TagFilter filter, Transport.Opener opener) {
    ParsedFilter asked = ParsedFilter.of(filter);
    Objects.requireNonNull(opener, "opener");
    long rechecks = broker.rechecks();
    Scope scope = permittedScope(null, asked);
    return watch(
        null, asked, scope, rechecks, () -> broker.streams.take(broker.streams.watches), opener);
  }

  /** Asks what of a list the caller may see on the channel's stream. */
  ChannelWatches.Admitted admit(Channel channel, ParsedFilter asked) {
    long rechecks = broker.rechecks();
    Scope scope = permittedScope(channel, asked);
    return opener -> watch(channel, asked, scope, rechecks, Permits.Permit::covered, opener);
  }

  private Scope permittedScope(@Nullable Channel channel, ParsedFilter asked) {
    return isTrusted() ? Scope.all() : permitted(channel, () -> policy().scope(caller, asked));
  }

  /**
   * Opens a watch for the caller.
   *
   * @param channel the channel whose stream carries it, or null
   * @param asked the filter before it is narrowed
   * @param scope the policy's answer to it
   * @param rechecks how many rechecks had begun before the policy was asked
   * @param permits returns the watch's permit, or refuses
   */
  private LocalWatch watch(
      @Nullable Channel channel,
      ParsedFilter asked,
      Scope scope,
      long rechecks,
      Supplier<Permits.Permit> permits,
      Transport.Opener opener) {
    LocalWatch stream =
        broker.watch(channel, asked.and(scope.filter()), scope.visible(), permits, opener);
    if (isTrusted() || policy() == AccessPolicy.allowAll()) {
      return stream;
    }
    AuthorizedWatch watch = new AuthorizedWatch(policy(), caller, asked, scope, stream);
    stream.setRecheck(watch::recheck);
    if (broker.rechecks() != rechecks) {
      // A recheck ran before this watch was known, and may have changed the policy's answer.
      watch.recheck();
    }
    return stream;
  }

  /** Returns a page of the list with its sessions. */
  Page list(TagFilter filter, int limit, @Nullable String after) {
    ParsedFilter asked = ParsedFilter.of(filter);
    return permitted(
        () -> {
          ListPosition from = broker.directory.search.pageStart(limit, after);
          Scope scope = scope(asked);
          return broker.directory.search.page(
              asked.and(scope.filter()), scope.visible(), limit, from);
        });
  }

  @Override
  public PageReader readPage(TagFilter filter, int limit, @Nullable String after) {
    ParsedFilter asked = ParsedFilter.of(filter);
    return permitted(
        () -> {
          ListPosition from = broker.directory.search.pageStart(limit, after);
          Scope scope = scope(asked);
          return broker.directory.search.read(
              asked.and(scope.filter()), scope.visible(), limit, from);
        });
  }

  private Scope scope(TagFilter filter) {
    return isTrusted() ? Scope.all() : policy().scope(caller, filter);
  }

  /**
   * Performs a request. The order of the checks is decided here. Adapters check path, method, JSON
   * and shape before. Then come the sizes, which do not depend on the broker's state; the acting
   * channel's existence; its key; the request's number; the policy; the session's existence and
   * whether it is the channel's own, or the target's existence; the rate; the room.
   */
  @Override
  public CompletionStage<Answer> perform(Request request) {
    Objects.requireNonNull(request, "request");
    return RefusedException.untraced(() -> performChecked(request));
  }

  private CompletionStage<Answer> performChecked(Request request) {
    try {
      checkSizes(request);
      LocalChannel channel = claimAndConfirm(request);
      long seq = request.actor().seq();
      return seq == 0 || mayBeRepeated(request)
          ? performAs(channel, request)
          : channel.lastAnswer.once(seq, () -> performAs(channel, request));
    } catch (Throwable thrown) {
      return notPerformed(thrown);
    }
  }

  /** Errors too: the stage is the only way to report them. */
  private static CompletionStage<Answer> notPerformed(Throwable thrown) {
    return thrown instanceof RefusedException refused
        ? CompletableFuture.completedStage(new Answer.Refused(refused.refusal()))
        : CompletableFuture.failedStage(thrown);
  }

  /** Returns whether a request may happen twice, so that its number says nothing. */
  private static boolean mayBeRepeated(Request request) {
    return request instanceof Request.Ping
        || request instanceof Request.AskIceServers
        || request instanceof Request.CloseChannel;
  }

  /** Performs a request of a channel that has shown its key. Nothing is thrown. */
  private CompletionStage<Answer> performAs(LocalChannel channel, Request request) {
    try {
      if (request instanceof Request.Send send) {
        return MessageBatch.send(
            channel,
            send,
            AuthorizedChannel.permission(policy(), broker.directory, caller),
            broker.timer());
      }
      return CompletableFuture.completedStage(answer(request, channel));
    } catch (Throwable thrown) {
      return notPerformed(thrown);
    }
  }

  /**
   * Refuses a request whose parts are too large. No channel is known yet, so listeners are not
   * notified.
   */
  private void checkSizes(Request request) {
    Limits limits = broker.limits();
    if (request instanceof Request.Send send) {
      for (Json message : send.messages()) {
        limits.checkMessage(message);
      }
    } else if (request instanceof Request.OpenSession open) {
      limits.check(open.spec());
    } else if (request instanceof Request.UpdateSession update) {
      limits.check(update.update());
    }
  }

  /** Returns the channel that acts, and notes what its client has seen. */
  private LocalChannel claimAndConfirm(Request request) {
    LocalChannel channel = claim(request);
    Request.Actor actor = request.actor();
    String seen = actor.seen();
    // Without the channel's key, anybody could claim this.
    if (seen != null && actor.key() != null) {
      channel.confirm(seen, actor.patience());
    }
    return channel;
  }

  /**
   * Returns the channel that acts, after checking its key. Only what sends may name a session
   * instead of its channel, and only what hosts may show no key, as in the first draft.
   */
  LocalChannel claim(Request request) {
    String id = request.actor().id();
    String key = request.actor().key();
    LocalChannel channel = null;
    try {
      broker.streams.checkRunning();
      if (request instanceof Request.OpenSession) {
        if (key == null && broker.requiresSessionKey()) {
          throw new RefusedException(Refusals.keyNeededByBroker());
        }
        channel = channel(id);
        channel.checkHostKey(key);
      } else {
        channel = request instanceof Request.Send ? ownerOf(id) : channel(id);
        channel.checkKey(Objects.requireNonNull(key));
      }
      return channel;
    } catch (RefusedException refused) {
      throw broker.refused(channel, refused);
    }
  }

  /** Returns the channel that owns {@code origin}: its own id, or a session's. */
  private LocalChannel ownerOf(String origin) {
    LocalChannel channel = broker.directory.ownerOf(origin);
    if (channel == null) {
      throw new RefusedException(Refusals.unknownChannel());
    }
    return channel;
  }

  /** Returns the channel with this id; a session's id is not accepted. */
  private LocalChannel channel(String cid) {
    LocalChannel channel = broker.directory.channel(cid);
    if (channel == null) {
      throw new RefusedException(
          broker.directory.session(cid) == null
              ? Refusals.unknownChannel()
              : Refusals.sessionForChannel());
    }
    return channel;
  }

  /** Does what is requested on the channel that acts. */
  private Answer answer(Request request, LocalChannel channel) {
    if (request instanceof Request.Ping) {
      return new Answer.Pong(channel.isAttached(), channel.lastConsumed());
    }
    if (request instanceof Request.AskIceServers) {
      return new Answer.IceServersGiven(iceServers(channel));
    }
    if (request instanceof Request.OpenSession open) {
      LocalSession session =
          channel.openSession(
              open.spec(), spec -> isTrusted() ? spec : policy().host(caller, channel, spec));
      return new Answer.SessionOpened(session.id());
    }
    if (request instanceof Request.Watch watch) {
      channel.watch(watch.name(), ParsedFilter.of(watch.filter()), asked -> admit(channel, asked));
    } else if (request instanceof Request.Unwatch unwatch) {
      channel.unwatch(unwatch.name());
    } else if (request instanceof Request.UpdateSession update) {
      LocalSession session = channel.session(update.sid());
      channel.update(
          session,
          update.update(),
          asked -> isTrusted() ? asked : policy().update(caller, session, asked));
    } else if (request instanceof Request.CloseSession close) {
      channel.session(close.sid()).close();
    } else {
      channel.close();
    }
    return Answer.Done.DONE;
  }

  @Override
  public AccessPolicy policy() {
    return broker.policy();
  }

  @Override
  public Timer timer() {
    return broker.timer();
  }

  @Override
  public Limits limits() {
    return broker.limits();
  }
}
