package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Records each notification in one line; a test may do more. */
class NotingListener implements BrokerListener {

  final List<String> told = new CopyOnWriteArrayList<>();

  void told(String what) {
    told.add(what);
  }

  List<String> takeTold() {
    List<String> taken = List.copyOf(told);
    told.clear();
    return taken;
  }

  @Override
  public void channelOpened(Channel channel) {
    told("channelOpened");
  }

  @Override
  public void channelInterrupted(Channel channel) {
    told("channelInterrupted");
  }

  @Override
  public void channelResumed(Channel channel) {
    told("channelResumed");
  }

  @Override
  public void channelClosed(Channel channel, CloseReason reason) {
    told("channelClosed " + reason.code());
  }

  @Override
  public void sessionOpened(Session session) {
    told("sessionOpened " + session.tags());
  }

  @Override
  public void sessionUpdated(Session session) {
    told("sessionUpdated " + session.tags());
  }

  @Override
  public void sessionClosed(Session session) {
    told("sessionClosed " + session.tags());
  }

  @Override
  public void watchOpened(Watch watch) {
    told("watchOpened " + watch.filter().required());
  }

  @Override
  public void watchClosed(Watch watch, CloseReason reason) {
    told("watchClosed " + reason.code());
  }

  @Override
  public void messageAnswered(Channel sender, Message message, Delivery delivery) {
    told(
        "messageAnswered "
            + message.json()
            + (delivery instanceof Delivery.Refused refused
                ? " " + refused.refusal().code().code()
                : delivery instanceof Delivery.Queued queued ? " queued " + queued.id() : " sent"));
  }

  @Override
  public void messageUndelivered(Message message, String id, CloseReason reason) {
    told("messageUndelivered " + message.json() + " " + id + " " + reason.code());
  }

  @Override
  public void callRefused(Channel channel, Refusal refusal) {
    told("callRefused " + refusal.code().code() + (channel == null ? "" : " of a channel"));
  }
}
