package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The timer of the running system: it decides which tasks are due, and workers run them. */
final class SystemTimerTest {

  private final Timer.SystemTimer timer = Timer.system();
  private final CountDownLatch release = new CountDownLatch(1);

  @AfterEach
  void close() {
    release.countDown();
    timer.close();
  }

  private void block() {
    try {
      release.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  @DisplayName("Tasks that block do not delay another one, up to the documented number.")
  void blockedTasks() throws InterruptedException {
    for (int i = 0; i < Timer.SystemTimer.MAX_WORKERS - 1; i++) {
      timer.schedule(Duration.ZERO, this::block);
    }
    CountDownLatch ran = new CountDownLatch(3);
    timer.schedule(
        Duration.ofMillis(1),
        () -> {
          ran.countDown();
          timer.schedule(
              Duration.ofMillis(1),
              () -> {
                ran.countDown();
                timer.schedule(Duration.ZERO, ran::countDown);
              });
        });
    ran.await();
  }

  @Test
  @DisplayName("A task that waits for a worker can still be cancelled.")
  void cancelled() throws InterruptedException {
    Timer.SystemTimer full = Timer.system();
    for (int i = 0; i < Timer.SystemTimer.MAX_WORKERS; i++) {
      full.schedule(Duration.ZERO, this::block);
    }
    AtomicBoolean ran = new AtomicBoolean();
    Timer.Scheduled taken = full.schedule(Duration.ZERO, () -> ran.set(true));
    CountDownLatch later = new CountDownLatch(1);
    full.schedule(Duration.ofMillis(1), later::countDown);
    Awaitility.await().until(() -> OwnThreads.waiting(full) == 2);
    taken.cancel();
    taken.cancel();
    release.countDown();
    later.await();
    assertThat(ran).isFalse();
    full.close();
  }

  @Test
  @DisplayName("A closed timer runs nothing more, and its threads have ended.")
  void closed() throws InterruptedException {
    CountDownLatch ran = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    timer.schedule(
        Duration.ZERO,
        () -> {
          threads.add(Thread.currentThread());
          ran.countDown();
        });
    ran.await();
    threads.addAll(OwnThreads.of(timer));
    assertThat(threads).hasSizeGreaterThanOrEqualTo(3).allMatch(Thread::isDaemon);
    timer.schedule(Duration.ofMillis(50), () -> threads.clear());
    assertThat(timer.isClosed()).isFalse();
    timer.close();
    assertThat(timer.isClosed()).isTrue();
    assertThat(threads).isNotEmpty().noneMatch(Thread::isAlive);
    timer.schedule(Duration.ZERO, () -> threads.clear()).cancel();
    timer.close();
    assertThat(threads).isNotEmpty();
  }

  @Test
  @DisplayName("Its threads inherit nothing from the thread that needs one.")
  void inheritsNothing() throws Exception {
    InheritableThreadLocal<String> login = new InheritableThreadLocal<>();
    CompletableFuture<Thread> onWorker = new CompletableFuture<>();
    CompletableFuture<String> seen = new CompletableFuture<>();
    ThreadGroup group = new ThreadGroup("stranger");
    try (URLClassLoader foreign = new URLClassLoader(new URL[0])) {
      Thread stranger =
          new Thread(
              group,
              () -> {
                login.set("alice");
                Thread.currentThread().setContextClassLoader(foreign);
                timer.schedule(
                    Duration.ZERO,
                    () -> {
                      seen.complete(String.valueOf(login.get()));
                      onWorker.complete(Thread.currentThread());
                    });
              });
      stranger.start();
      stranger.join();
      assertThat(onWorker.get()).isNotNull();
      assertThat(seen.get()).isEqualTo("null");
      for (Thread thread : OwnThreads.of(timer)) {
        assertThat(thread.getContextClassLoader()).isSameAs(Broker.class.getClassLoader());
        assertThat(thread.getThreadGroup()).isNotSameAs(group);
      }
    }
  }

  @Test
  @DisplayName("A class loader that a task leaves on its thread is gone for the next task.")
  void forgetsLoaders() throws Exception {
    try (URLClassLoader foreign = new URLClassLoader(new URL[0])) {
      CountDownLatch left = new CountDownLatch(2);
      for (int i = 0; i < 2; i++) {
        timer.schedule(
            Duration.ZERO,
            () -> {
              Thread.currentThread().setContextClassLoader(foreign);
              left.countDown();
            });
      }
      left.await();
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(OwnThreads.of(timer))
                      .allMatch(thread -> thread.getContextClassLoader() != foreign));
    }
  }
}
