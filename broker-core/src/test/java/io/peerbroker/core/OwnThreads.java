package io.peerbroker.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.assertj.core.util.introspection.FieldSupport;

/** The threads that a broker has started. */
final class OwnThreads {

  private OwnThreads() {}

  /** The threads that are alive now: those of its timer, and those of its receivers. */
  static List<Thread> of(Broker broker) {
    List<Thread> threads = new ArrayList<>(of((Timer.SystemTimer) broker.gateway().timer()));
    addAlive(field("receivers.own", WorkerPool.class, broker), threads);
    return threads;
  }

  /** The threads that are alive now: the one that watches the time, and its workers. */
  static List<Thread> of(Timer.SystemTimer timer) {
    List<Thread> threads = new ArrayList<>();
    threads.add(field("clockThread", Thread.class, timer));
    addAlive(field("workers", WorkerPool.class, timer), threads);
    return threads;
  }

  private static void addAlive(WorkerPool workers, List<Thread> threads) {
    for (Object thread : field("threads", Collection.class, workers)) {
      threads.add((Thread) thread);
    }
    threads.removeIf(thread -> !thread.isAlive());
  }

  /** How many tasks are due and wait for a worker. */
  static int waiting(Timer.SystemTimer timer) {
    return field("queue", Collection.class, field("workers", WorkerPool.class, timer)).size();
  }

  private static <T> T field(String name, Class<T> type, Object of) {
    return FieldSupport.extraction().fieldValue(name, type, of);
  }
}
