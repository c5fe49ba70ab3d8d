package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

final class ForeignCallsTest {

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final List<String> done = new ArrayList<>();

  @Test
  void runsACallAtOnce() {
    ForeignCalls.run(() -> done.add("a"));
    assertThat(done).containsExactly("a");
  }

  @Test
  void neverRunsOneCallInsideAnother() {
    ForeignCalls.run(
        () -> {
          done.add("a begins");
          ForeignCalls.run(
              () -> {
                done.add("b begins");
                ForeignCalls.run(() -> done.add("d"));
                done.add("b ends");
              });
          ForeignCalls.run(() -> done.add("c"));
          done.add("a ends");
        });
    assertThat(done).containsExactly("a begins", "a ends", "b begins", "b ends", "c", "d");
  }

  @Test
  void whatOneThrowsKeepsNoneOfTheOthersFromRunning() {
    for (Throwable thrown :
        List.of(new IllegalStateException(), new Error(), new OutOfMemoryError("not really"))) {
      done.clear();
      ForeignCalls.run(
          () -> {
            ForeignCalls.run(() -> done.add("next"));
            ForeignCallsTest.<RuntimeException>sneak(thrown);
          });
      assertThat(done).as("after %s", thrown).containsExactly("next");
      log.assertHas(thrown);
    }
    ForeignCalls.run(() -> done.add("later"));
    assertThat(done).containsExactly("next", "later");
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void aChainOfCallsNeedsNoStack() {
    countDown(100_000);
    assertThat(done).containsExactly("end");
  }

  private void countDown(int left) {
    ForeignCalls.run(
        () -> {
          if (left > 0) {
            countDown(left - 1);
          } else {
            done.add("end");
          }
        });
  }

  @Test
  void aTurnWaitsForATurnButACallDoesNot() {
    ForeignCalls.runTurn(
        () -> {
          ForeignCalls.run(() -> done.add("call"));
          ForeignCalls.run(() -> ForeignCalls.runTurn(() -> done.add("turn")));
          done.add("end of the first turn");
        });
    assertThat(done).containsExactly("call", "end of the first turn", "turn");
  }

  @Test
  void whatALogHandlerThrowsGoesNowhere() {
    Handler failing =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            throw new LinkageError("on purpose");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger(Broker.class.getName());
    logger.addHandler(failing);
    try (Broker broker =
        Broker.builder()
            .router(
                own ->
                    message -> {
                      throw new IllegalStateException("on purpose");
                    })
            .listener(
                new BrokerListener() {
                  @Override
                  public void messageAnswered(Channel sender, Message message, Delivery delivery) {
                    throw new IllegalStateException("on purpose");
                  }
                })
            .build()) {
      Party party = new Party(broker);
      Party.assertRefused(party.send(party.id(), "1"), Refusal.Code.INTERNAL);
      List<String> run = new ArrayList<>();
      ForeignCalls.run(
          () -> {
            ForeignCalls.run(() -> run.add("after"));
            throw new IllegalStateException("on purpose");
          });
      assertThat(run).containsExactly("after");
    } finally {
      logger.removeHandler(failing);
    }
  }
}
