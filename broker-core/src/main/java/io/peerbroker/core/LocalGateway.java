package io.peerbroker.core;

import java.security.Principal;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a broker does for one caller: the policy is asked first, unless the caller is trusted. */
record LocalGateway(LocalBroker broker, Caller caller) implements Gateway {

  @Override
  public CompletionStage<Channel> openChannel(ChannelOptions options, Transport.Opener opener) {
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(opener, "opener");
    try {
      checkOpen(options);
      return CompletableFuture.completedFuture(
          acting(broker.openChannel(options, opener, owner())));
    } catch (Throwable failed) {
      // Errors of the opener's too: whoever waits for the stage has no other answer.
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
    return isTrusted() ? channel : new AuthorizedChannel(channel, broker, caller);
  }

  private boolean isTrusted() {
    return caller == Caller.trusted();
  }

  /** Asks what may be refused, and notes a refusal. */
  private <T> T permitted(Supplier<T> question) {
    try {
      broker.checkRunning();
      return question.get();
    } catch (RefusedException refused) {
      throw broker.counters.refused(null, refused);
    }
  }

  @Override
  public Watch watch(TagFilter filter, Transport.Opener opener) {
    ParsedFilter asked = ParsedFilter.of(filter);
    Objects.requireNonNull(opener, "opener");
    if (isTrusted()) {
      return broker.watch(asked, null, broker.watches, opener);
    }
    long rechecks = broker.rechecks();
    Scope scope = permitted(() -> policy().scope(caller, asked));
    LocalWatch stream =
        broker.watch(asked.and(scope.filter()), scope.visible(), broker.watches, opener);
    if (policy() == AccessPolicy.allowAll()) {
      return stream;
    }
    AuthorizedWatch watch = new AuthorizedWatch(policy(), caller, asked, scope, stream);
    broker.keep(stream, watch);
    if (broker.rechecks() != rechecks) {
      // Everybody was asked about before this one was known, and perhaps after it was.
      watch.recheck();
    }
    return stream;
  }

  /** Returns a page of the list with all that is on it. */
  Page list(TagFilter filter, int limit, @Nullable String after) {
    ParsedFilter asked = ParsedFilter.of(filter);
    return permitted(
        () -> {
          long from = broker.checkPage(limit, after);
          Scope scope = scope(asked);
          return broker.directory.page(asked.and(scope.filter()), scope.visible(), limit, from);
        });
  }

  @Override
  public PageReader readPage(TagFilter filter, int limit, @Nullable String after) {
    ParsedFilter asked = ParsedFilter.of(filter);
    return permitted(
        () -> {
          long from = broker.checkPage(limit, after);
          Scope scope = scope(asked);
          return broker.directory.read(asked.and(scope.filter()), scope.visible(), limit, from);
        });
  }

  private Scope scope(TagFilter filter) {
    return isTrusted() ? Scope.all() : policy().scope(caller, filter);
  }

  @Override
  public Channel claim(String origin, String key) {
    return acting(broker.claim(origin, key));
  }

  @Override
  public Channel claimHost(String cid, @Nullable String key) {
    return acting(broker.claimHost(cid, key));
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
