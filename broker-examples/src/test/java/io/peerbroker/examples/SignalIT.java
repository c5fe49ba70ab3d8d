package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Isolated;

/** A process that is terminated (SIGTERM) while it starts. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Isolated("the moments of its starts are measured")
class SignalIT {

  private static final int STARTS = Integer.getInteger("peerbroker.starts", 12);

  /** The JVM's own exit code after a SIGTERM that comes before the program has begun. */
  private static final int SIGTERM = 128 + 15;

  @Test
  @DisplayName("SIGTERM at any moment of the start ends the program in order and silently.")
  void sigtermDuringTheStart() throws Exception {
    long began = System.nanoTime();
    try (BrokerProcess whole = BrokerProcess.run("--port", "0")) {
      whole.awaitListening();
    }
    long start = System.nanoTime() - began;
    int orderly = 0;
    for (int i = 0; i < STARTS; i++) {
      try (BrokerProcess broker = BrokerProcess.run("--port", "0")) {
        // The moments are spread over the whole start; its end is waited for, where it comes first.
        broker.awaitListening(Duration.ofNanos(start * i / STARTS));
        broker.terminate();
        int exitCode = broker.awaitExit(Duration.ofSeconds(60));
        broker.awaitOutput();
        assertThat(broker.err).as("start %d, exit code %d", i, exitCode).isEmpty();
        assertThat(exitCode).as("start %d", i).isIn(0, SIGTERM);
        orderly += exitCode == 0 ? 1 : 0;
      }
    }
    assertThat(orderly)
        .as("ended by the program: the JVM's own part of a start is less than two thirds")
        .isGreaterThanOrEqualTo(STARTS / 3);
  }
}
