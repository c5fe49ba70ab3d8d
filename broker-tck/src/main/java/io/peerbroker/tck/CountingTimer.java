package io.peerbroker.tck;

import io.peerbroker.core.Timer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The system's timer, which counts its outstanding tasks.
 *
 * <p>Safe for use by many threads.
 */
public final class CountingTimer implements Timer, AutoCloseable {

  private final SystemTimer system = Timer.system();
  private final AtomicInteger outstanding = new AtomicInteger();

  /** A timer of its own thread, until it is closed. */
  public CountingTimer() {}

  /** How many tasks have neither begun nor been taken back. */
  public int outstanding() {
    return outstanding.get();
  }

  @Override
  public long nanoTime() {
    return system.nanoTime();
  }

  @Override
  public Scheduled schedule(Duration delay, Runnable task) {
    AtomicBoolean done = new AtomicBoolean();
    outstanding.incrementAndGet();
    Runnable count =
        () -> {
          if (!done.getAndSet(true)) {
            outstanding.decrementAndGet();
          }
        };
    Scheduled scheduled =
        system.schedule(
            delay,
            () -> {
              count.run();
              task.run();
            });
    return () -> {
      scheduled.cancel();
      count.run();
    };
  }

  @Override
  public boolean isClosed() {
    return system.isClosed();
  }

  /** Ends its thread. */
  @Override
  public void close() {
    system.close();
  }
}
