package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The broker on virtual threads. Up to JDK 23 one that parks inside a monitor keeps its carrier, so
 * a single such place can stop all virtual threads of the JVM for ever.
 */
final class VirtualThreadsTest {

  /** More than carriers, which are as many as processors unless set. */
  private static final int OF_EACH_KIND = 20;

  private static final int ROUNDS = 2_000;

  private final Broker broker =
      Broker.builder().sessionRate(Limits.Rate.UNLIMITED).maxSessionsPerChannel(1_000).build();

  /** An executor of virtual threads, which Java 17, the oldest supported version, does not have. */
  private static ExecutorService virtualThreads() throws Exception {
    assumeTrue(
        Runtime.version().feature() >= 21, "This JDK has no virtual threads: they came with 21");
    MethodHandle executor =
        MethodHandles.publicLookup()
            .findStatic(
                Executors.class,
                "newVirtualThreadPerTaskExecutor",
                MethodType.methodType(ExecutorService.class));
    try {
      return (ExecutorService) executor.invoke();
    } catch (Throwable thrown) {
      throw new AssertionError(thrown);
    }
  }

  @Test
  @DisplayName("Lists, watches and changes do not stop each other.")
  void readersAndWritersDoNotStopEachOther() throws Exception {
    ExecutorService threads = virtualThreads();
    Channel host = new Party(broker).channel;
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      sessions.add(host.openSession(SessionSpec.listed("a", "t" + i % 7)));
    }
    AtomicLong done = new AtomicLong();
    AtomicBoolean over = new AtomicBoolean();
    CountDownLatch ended = new CountDownLatch(3 * OF_EACH_KIND);
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < OF_EACH_KIND; i++) {
      Session mine = sessions.get(i);
      List<Runnable> kinds =
          List.of(
              () -> broker.list(TagFilter.parse("a,!t3")),
              () -> mine.update(SessionUpdate.nothing().withMetadata(Json.of(done.get()))),
              () -> {
                try (Watch watch =
                    broker.watch(TagFilter.parse("a,!t4"), new Replay(), Runnable::run)) {
                  assertThat(watch.filter()).isNotNull();
                }
              });
      for (Runnable kind : kinds) {
        all.add(
            threads.submit(
                () -> {
                  try {
                    for (int round = 0; round < ROUNDS / kinds.size() && !over.get(); round++) {
                      kind.run();
                      done.incrementAndGet();
                    }
                  } finally {
                    ended.countDown();
                  }
                }));
      }
    }
    // The wait is on a platform thread: possibly no virtual one can run.
    long before = -1;
    while (!ended.await(20, TimeUnit.SECONDS)) {
      long now = done.get();
      over.set(now == before);
      assertThat(now).as("operations while all virtual threads should run").isGreaterThan(before);
      before = now;
    }
    for (Future<?> each : all) {
      each.get(10, TimeUnit.SECONDS);
    }
    threads.shutdown();
    broker.close();
    LeakAssert.assertNone((LocalBroker) broker);
  }
}
