package io.peerbroker.core;

import java.util.concurrent.CompletionStage;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** A channel's close is one instant, while threads open sessions on it and send to it. */
public class ChannelLincheckTest {

  private final LocalBroker broker =
      (LocalBroker) Broker.builder().timer(new ManualTimer()).build();

  /** The one that was begun last. */
  private ChannelConnection.Stream stream;

  private final LocalChannel sender = channel();
  private final LocalChannel target = channel();
  private final Session session = target.openSession(SessionSpec.unlisted());

  private LocalChannel channel() {
    LocalChannel channel = broker.newChannel(ChannelOptions.none(), LocalChannel.Side.OWN, null);
    stream = channel.connection().new Stream(broker.streams.channels.takeAnyway());
    channel.begin(stream, IceConfiguration.none());
    broker.directory.add(channel);
    return channel;
  }

  private static String outcome(CompletionStage<Delivery> stage) {
    Delivery delivery = stage.toCompletableFuture().join();
    return delivery instanceof Delivery.Refused refused
        ? refused.refusal().code().code()
        : delivery.getClass().getSimpleName();
  }

  @Operation
  public String sendToChannel() {
    return outcome(sender.send(target.id(), Json.NULL));
  }

  @Operation
  public String sendToSession() {
    return outcome(sender.send(session.id(), Json.NULL));
  }

  @Operation
  public String sendFromSession() {
    return outcome(session.send(sender.id(), Json.NULL));
  }

  @Operation
  public String openSession() {
    try {
      target.openSession(SessionSpec.unlisted());
      return "open";
    } catch (RefusedException refused) {
      return refused.refusal().code().code();
    }
  }

  @Operation
  public boolean isOpen() {
    return target.isOpen();
  }

  @Operation
  public boolean isSessionOpen() {
    return session.isOpen();
  }

  @Operation
  public int sessions() {
    return target.sessions().size();
  }

  @Operation
  public void closeSession() {
    session.close();
  }

  @Operation(runOnce = true)
  public void close() {
    target.close();
  }

  @Operation(runOnce = true)
  public void breaks() {
    stream.detach(CloseReason.GONE);
  }

  @Test
  void closesInOneInstant() {
    Lincheck.check(getClass(), 10);
  }
}
