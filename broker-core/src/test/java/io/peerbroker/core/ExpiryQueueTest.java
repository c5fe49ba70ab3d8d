package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

final class ExpiryQueueTest {

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final List<String> calls = new ArrayList<>();

  /** An expiry that records its calls, and fails to close where it is told to. */
  private final class Recorded implements ExpiryQueue.Expiry {

    private final String name;
    private final boolean fails;

    Recorded(String name, boolean fails) {
      this.name = name;
      this.fails = fails;
    }

    @Override
    public void close() {
      calls.add("close " + name);
      if (fails) {
        throw new LinkageError("on purpose");
      }
    }

    @Override
    public void closed() {
      calls.add("closed " + name);
      if (fails) {
        throw new LinkageError("on purpose");
      }
    }
  }

  @Test
  @DisplayName("One channel that cannot be closed hinders no other, in its batch or after it.")
  void oneFails() {
    ManualExecutor hands = new ManualExecutor();
    ExpiryQueue expiries = new ExpiryQueue(hands);
    expiries.add(new Recorded("a", false));
    expiries.add(new Recorded("b", true));
    expiries.add(new Recorded("c", false));
    hands.runAll();
    assertThat(calls)
        .containsExactly("close a", "close b", "close c", "closed a", "closed b", "closed c");
    calls.clear();
    expiries.add(new Recorded("d", false));
    hands.runAll();
    assertThat(calls).containsExactly("close d", "closed d");
  }

  @Test
  @DisplayName("More channels than one batch that all fail are all closed.")
  void allFail() {
    ManualExecutor hands = new ManualExecutor();
    ExpiryQueue expiries = new ExpiryQueue(hands);
    IntStream.range(0, 200).forEach(i -> expiries.add(new Recorded("" + i, true)));
    hands.runAll();
    assertThat(calls).hasSize(400);
  }

  @Test
  @DisplayName("After a run that has failed another one starts.")
  void runFails() {
    ManualExecutor hands = new ManualExecutor();
    List<Runnable> given = new ArrayList<>();
    Executor failing =
        task -> {
          given.add(task);
          if (given.size() == 2) {
            throw new LinkageError("on purpose");
          }
          hands.execute(task);
        };
    ExpiryQueue expiries = new ExpiryQueue(failing);
    expiries.add(new Recorded("a", false));
    hands.runAll();
    expiries.add(new Recorded("b", false));
    hands.runAll();
    assertThat(calls).containsExactly("close a", "close b", "closed b");
  }
}
