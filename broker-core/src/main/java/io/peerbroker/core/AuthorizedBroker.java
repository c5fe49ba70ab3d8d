package io.peerbroker.core;

import java.security.Principal;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A broker through which somebody acts about whom the policy is asked. */
record AuthorizedBroker(LocalBroker broker, Caller caller) implements Broker {

  @Override
  public Channel openChannel(Receiver receiver) {
    return openChannel(receiver, broker.receivers());
  }

  @Override
  public Channel openChannel(Receiver receiver, Executor executor) {
    LocalBroker.checkReceiver(receiver, executor);
    checkOpen(ChannelOptions.none());
    return broker.openChannel(receiver, executor, LocalChannel.Side.GUEST, owner(), this::acting);
  }

  @Override
  public Channel openChannel(ChannelOptions options, Transport.Opener opener) {
    LocalBroker.checkOpener(options, opener);
    checkOpen(options);
    return acting(broker.openChannel(options, opener, owner()));
  }

  private @Nullable String owner() {
    Principal principal = caller.principal();
    return principal == null ? null : principal.getName();
  }

  private void checkOpen(ChannelOptions options) {
    permitted(
        () -> {
          policy().open(caller, options);
          return options;
        });
  }

  /** Asks what may be refused, and has a refusal told. */
  private <T> T permitted(Supplier<T> question) {
    try {
      broker.checkRunning();
      return question.get();
    } catch (RefusedException refused) {
      throw broker.counters.refused(null, refused);
    }
  }

  @Override
  public Channel claim(String origin, String key) {
    return acting(broker.claim(origin, key));
  }

  @Override
  public Channel claimHost(String cid, @Nullable String key) {
    return acting(broker.claimHost(cid, key));
  }

  private Channel acting(LocalChannel channel) {
    return new AuthorizedChannel(channel, broker, caller);
  }

  @Override
  public @Nullable Channel findChannel(String id) {
    throw notForCallers();
  }

  @Override
  public @Nullable Session findSession(String sid) {
    throw notForCallers();
  }

  @Override
  public List<Channel> channelsOf(String owner) {
    throw notForCallers();
  }

  private static UnsupportedOperationException notForCallers() {
    return new UnsupportedOperationException(
        "This is a caller's view: ask the broker itself, which is the application's.");
  }

  @Override
  public boolean isOpen() {
    return broker.isOpen();
  }

  @Override
  public Page list(TagFilter filter, int limit, @Nullable String after) {
    Objects.requireNonNull(filter, "filter");
    return permitted(
        () -> {
          long from = broker.checkPage(limit, after);
          Scope scope = policy().scope(caller, filter);
          return broker.directory.page(filter.and(scope.filter()), scope.visible(), limit, from);
        });
  }

  @Override
  public PageReader readPage(TagFilter filter, int limit, @Nullable String after) {
    return permitted(
        () -> {
          long from = broker.checkPage(limit, after);
          Scope scope = policy().scope(caller, filter);
          return broker.directory.read(filter.and(scope.filter()), scope.visible(), limit, from);
        });
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher) {
    return watch(filter, watcher, broker.receivers());
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher, Executor executor) {
    LocalBroker.checkWatcher(filter, watcher, executor);
    return watch(filter, broker.opener(watcher, executor));
  }

  @Override
  public Watch watch(TagFilter filter, Transport.Opener opener) {
    LocalBroker.checkWatch(filter, opener);
    long rechecks = broker.rechecks();
    Scope scope = permitted(() -> policy().scope(caller, filter));
    LocalWatch stream =
        broker.watch(filter.and(scope.filter()), scope.visible(), broker.watches, opener);
    if (policy() == AccessPolicy.allowAll()) {
      return stream;
    }
    AuthorizedWatch watch = new AuthorizedWatch(policy(), caller, filter, scope, stream);
    broker.keep(stream, watch);
    if (broker.rechecks() != rechecks) {
      // Everybody was asked about before this one was known, and perhaps after it was.
      watch.recheck();
    }
    return stream;
  }

  @Override
  public Broker as(Caller other) {
    return broker.as(other);
  }

  @Override
  public void recheck() {
    broker.recheck();
  }

  @Override
  public AccessPolicy policy() {
    return broker.policy();
  }

  @Override
  public Router router() {
    return broker.router();
  }

  @Override
  public Timer timer() {
    return broker.timer();
  }

  @Override
  public BrokerStats stats() {
    return broker.stats();
  }

  @Override
  public Limits limits() {
    return broker.limits();
  }

  @Override
  public void close() {
    broker.close();
  }
}
