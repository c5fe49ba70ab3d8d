package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Watcher;
import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Two parties in one JVM: how do they find each other and talk, without any HTTP? */
public final class DirectUse {

  private DirectUse() {}

  /**
   * Runs the example.
   *
   * @param args none
   */
  public static void main(String[] args) throws InterruptedException {
    if (!run(System.out)) {
      System.exit(1);
    }
  }

  /** Whether the question was answered, and all parties left, in time. */
  static boolean run(PrintStream out) throws InterruptedException {
    var answered = new CountDownLatch(1);
    var left = new CountDownLatch(1);

    // Everything is bounded by default; Broker.builder() has the settings.
    try (Broker broker = Broker.create()) {

      // Bob hosts a session with tags, by which others find it, and with metadata for them to read.
      // A receiver is called one message at a time. A reply goes to the asking party, and comes
      // from the session that was asked: message.reply handles both.
      Channel bob =
          broker.openChannel(
              (channel, message) -> {
                out.println("Bob hears " + message.json());
                channel.sendOrThrow(message.reply(Json.of(Map.of("answer", "Knight to f3."))));
              });
      Session game =
          bob.openSession(
              SessionSpec.listed("chess", "beginner").withMetadata(Json.of(Map.of("name", "Bob"))));

      // Carol watches: first what is there, then every change, until she closes the watch.
      broker.watch(
          TagFilter.parse("chess"),
          new Watcher() {
            @Override
            public void added(ListedSession session) {
              out.println("Carol sees " + session.metadata() + " tagged " + session.tags());
            }

            @Override
            public void removed(String sid) {
              out.println("Carol sees one leave");
              left.countDown();
            }
          });

      // Ada looks once for sessions that play chess and are not busy.
      Channel ada =
          broker.openChannel(
              (channel, message) -> {
                out.println("Ada hears " + message.json());
                answered.countDown();
              });
      for (ListedSession found : broker.list(TagFilter.parse("chess,!busy")).sessions()) {
        // Sending never blocks and never throws for a refusal: it returns the message's fate.
        ada.send(found.id(), Json.of(Map.of("question", "Your move?")))
            .thenAccept(
                delivery -> {
                  if (delivery instanceof Delivery.Refused refused) {
                    out.println("not sent: " + refused.refusal().detail());
                  }
                });
      }
      boolean inTime = answered.await(10, TimeUnit.SECONDS);

      // A session ends by itself, or with its channel; from then on no party can send to it.
      game.close();
      return left.await(10, TimeUnit.SECONDS) && inTime;
    }
  }
}
