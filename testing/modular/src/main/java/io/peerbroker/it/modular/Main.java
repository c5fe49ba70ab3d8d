package io.peerbroker.it.modular;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.SessionSpec;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A modular application: one party sends a record to another. */
public final class Main {

  /** The record that is sent. */
  private record Move(String from, String to) {}

  private Main() {}

  /**
   * Sends a move and prints it as it arrives.
   *
   * @param args none
   */
  public static void main(String[] args) throws Exception {
    var arrived = new CompletableFuture<Json>();
    try (Broker broker = Broker.create()) {
      Channel bob = broker.openChannel((channel, message) -> arrived.complete(message.json()));
      String board = bob.openSession(SessionSpec.listed("chess")).id();
      Channel ada = broker.openChannel((channel, message) -> {});
      ada.send(board, Json.of(new Move("e2", "e4")))
          .thenAccept(delivery -> System.out.println("ada: " + delivery));
      System.out.println("bob: " + arrived.get(30, TimeUnit.SECONDS).to(Move.class));
    }
  }
}
