package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.CompletionStage;

/** A channel through which somebody acts about whom the policy is asked. */
record ActingChannel(HostedChannel channel, LocalBroker broker, Caller caller) implements Channel {

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
    channel.checkHosting(spec);
    return acting(channel.openSession(broker.policy().host(caller, channel, spec)));
  }

  @Override
  public Session session(String sid) {
    return acting(channel.session(sid));
  }

  @Override
  public List<Session> sessions() {
    return channel.sessions().stream().map(session -> acting((HostedSession) session)).toList();
  }

  private Session acting(HostedSession session) {
    return new ActingSession(session, this);
  }

  @Override
  public CompletionStage<Delivery> send(Message message) {
    Refusal refusal = channel.refusalOf(message);
    if (refusal != null) {
      return Delivery.refused(refusal);
    }
    try {
      broker.policy().send(caller, message);
    } catch (RefusedException refused) {
      return Delivery.refused(refused.refusal());
    }
    return channel.send(message);
  }

  @Override
  public void confirm(String eventId) {
    channel.confirm(eventId);
  }

  @Override
  public void close() {
    channel.close();
  }

  @Override
  public String toString() {
    return channel.toString();
  }
}
