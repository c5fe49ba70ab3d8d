package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A broker on which every operation is authorized for a caller. */
record AuthorizedBroker(LocalBroker broker, Caller caller) implements Broker {

  @Override
  public Channel openChannel(Receiver receiver) {
    return openChannel(receiver, broker.receivers());
  }

  @Override
  public Channel openChannel(Receiver receiver, Executor executor) {
    LocalBroker.checkReceiver(receiver, executor);
    LocalGateway gateway = gateway();
    gateway.checkOpen(ChannelOptions.none());
    return broker.openChannel(
        receiver, executor, LocalChannel.Side.GUEST, gateway.owner(), gateway::acting);
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
        "This view acts for a caller; call the method on the broker itself.");
  }

  @Override
  public boolean isOpen() {
    return broker.isOpen();
  }

  @Override
  public Page list(TagFilter filter, int limit, @Nullable String after) {
    return gateway().list(filter, limit, after);
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher) {
    return watch(filter, watcher, broker.receivers());
  }

  @Override
  public Watch watch(TagFilter filter, Watcher watcher, Executor executor) {
    LocalBroker.checkWatcher(watcher, executor);
    return gateway().watch(filter, broker.opener(watcher, executor));
  }

  @Override
  public Watch keepWatching(TagFilter filter, Watcher watcher) {
    return keepWatching(filter, watcher, broker.receivers());
  }

  @Override
  public Watch keepWatching(TagFilter filter, Watcher watcher, Executor executor) {
    LocalBroker.checkWatcher(watcher, executor);
    return broker.keepWatching(this::watch, filter, watcher, executor);
  }

  @Override
  public Broker forCaller(Caller other) {
    return broker.forCaller(other);
  }

  @Override
  public void recheck() {
    broker.recheck();
  }

  @Override
  public IceConfiguration iceServers() {
    return gateway().iceServers(null);
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
  public LocalGateway gateway() {
    return new LocalGateway(broker, caller);
  }

  @Override
  public void close() {
    broker.close();
  }
}
