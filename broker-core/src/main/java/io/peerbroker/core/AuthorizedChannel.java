package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A channel on which every operation is authorized for a caller. */
record AuthorizedChannel(
    LocalChannel channel, AccessPolicy policy, Directory directory, Caller caller)
    implements Channel {

  @Override
  public String id() {
    return channel.id();
  }

  @Override
  public String key() {
    return channel.key();
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public Session openSession(SessionSpec spec) {
    Objects.requireNonNull(spec, "spec");
    return acting(channel.openSession(spec, asked -> policy.host(caller, channel, asked)));
  }

  @Override
  public Session session(String sid) {
    return acting(channel.session(sid));
  }

  @Override
  public List<Session> sessions() {
    return channel.sessions().stream().map(session -> acting((LocalSession) session)).toList();
  }

  private Session acting(LocalSession session) {
    return new AuthorizedSession(session, this);
  }

  @Override
  public CompletionStage<Delivery> send(Message message) {
    return channel.send(message, permission(policy, directory, caller));
  }

  /** Returns the check that asks the policy about a message; null if no policy is asked. */
  static @Nullable Consumer<Message> permission(
      AccessPolicy policy, Directory directory, Caller caller) {
    return caller == Caller.trusted() || policy == AccessPolicy.allowAll()
        ? null
        : message -> policy.send(caller, message, target(directory, message.target()));
  }

  @Override
  public CompletionStage<Message> ask(String target, Json json, Duration timeout) {
    return channel.ask(new Message(id(), target, json), timeout, this::send);
  }

  @Override
  public boolean confirm(String eventId) {
    return channel.confirm(eventId);
  }

  @Override
  public void confirm(String eventId, Duration patience) {
    channel.confirm(eventId, patience);
  }

  @Override
  public boolean isAttached() {
    return channel.isAttached();
  }

  @Override
  public @Nullable String lastConsumed() {
    return channel.lastConsumed();
  }

  @Override
  public @Nullable String owner() {
    return channel.owner();
  }

  @Override
  public void revoke() {
    channel.revoke();
  }

  @Override
  public void close() {
    channel.close();
  }

  @Override
  public String toString() {
    return channel.toString();
  }

  /** Returns what a target is in this broker, for the policy. */
  private static AccessPolicy.@Nullable Target target(Directory directory, String id) {
    LocalSession session = directory.session(id);
    LocalChannel channel = session != null ? session.host : directory.channel(id);
    return channel == null ? null : new AccessPolicy.Target(channel, session);
  }
}
