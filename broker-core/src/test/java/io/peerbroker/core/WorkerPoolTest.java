package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The broker's own threads: few, more while tasks block, and none for long. */
final class WorkerPoolTest {

  private static final int MOST = 8;

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final WorkerPool workers = new WorkerPool("test", 2, MOST);
  private final CountDownLatch release = new CountDownLatch(1);

  @AfterEach
  void end() throws InterruptedException {
    release.countDown();
    workers.close();
    workers.awaitEnd(System.nanoTime() + TimeUnit.SECONDS.toNanos(60));
    assertThat(workers.size()).isZero();
  }

  private void block(int tasks) {
    for (int i = 0; i < tasks; i++) {
      workers.execute(() -> awaitQuietly(release));
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  @DisplayName("Tasks run in order of arrival, and no thread is started before one is needed.")
  void inOrder() throws InterruptedException {
    WorkerPool one = new WorkerPool("test-one", 1, 1);
    assertThat(one.size()).isZero();
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch done = new CountDownLatch(1_000);
    for (int i = 0; i < 1_000; i++) {
      int number = i;
      one.execute(
          () -> {
            order.add(number);
            done.countDown();
          });
    }
    done.await();
    assertThat(order).hasSize(1_000).isSorted();
    assertThat(one.size()).isEqualTo(1);
    one.close();
  }

  @Test
  @DisplayName("A task runs although all but one of the permitted threads are blocked.")
  void growsWhileTasksBlock() throws InterruptedException {
    block(MOST - 1);
    CountDownLatch ran = new CountDownLatch(1);
    workers.execute(ran::countDown);
    ran.await();
  }

  @Test
  @DisplayName("There are never more threads than the bound, and waiting tasks run in the end.")
  void growsToItsBound() throws InterruptedException {
    block(3 * MOST);
    CountDownLatch ran = new CountDownLatch(1);
    workers.execute(ran::countDown);
    Awaitility.await().until(() -> workers.size() == MOST);
    assertThat(ran.getCount()).isEqualTo(1);
    release.countDown();
    ran.await();
    Awaitility.await().until(() -> workers.size() <= 3);
  }

  @Test
  @DisplayName("Threads beyond the usual number end once nothing is left for them.")
  void shrinks() {
    block(MOST);
    Awaitility.await().until(() -> workers.size() == MOST);
    release.countDown();
    Awaitility.await().until(() -> workers.size() <= 3);
  }

  @Test
  @DisplayName("A task's exception is logged, and its thread goes on.")
  void survivesWhatTasksThrow() throws InterruptedException {
    CountDownLatch ran = new CountDownLatch(1);
    AssertionError thrown = new AssertionError("on purpose");
    for (int i = 0; i < 10; i++) {
      workers.execute(
          () -> {
            throw thrown;
          });
    }
    workers.execute(
        () -> {
          Thread.currentThread().interrupt();
          ran.countDown();
        });
    ran.await();
    CountDownLatch after = new CountDownLatch(1);
    workers.execute(after::countDown);
    after.await();
    log.assertHas(thrown);
  }

  @Test
  @DisplayName("A closed pool refuses tasks, and runs those that it has.")
  void close() throws InterruptedException {
    block(2);
    AtomicInteger ran = new AtomicInteger();
    workers.execute(ran::incrementAndGet);
    workers.close();
    assertThatThrownBy(() -> workers.execute(() -> {}))
        .isInstanceOf(RejectedExecutionException.class);
    release.countDown();
    workers.awaitEnd(System.nanoTime() + TimeUnit.SECONDS.toNanos(60));
    assertThat(ran).hasValue(1);
  }

  @Test
  @DisplayName("A thread that closes does not wait for itself.")
  void closesFromInside() throws InterruptedException {
    CountDownLatch closed = new CountDownLatch(1);
    workers.execute(
        () -> {
          workers.close();
          try {
            workers.awaitEnd(Long.MAX_VALUE / 2 + System.nanoTime());
            closed.countDown();
          } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
          }
        });
    closed.await();
  }
}
