package io.peerbroker.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Event;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.Receiver;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Watcher;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The transport that serves parties in this JVM is like any other. */
final class InJvmTransportTest extends TransportKit {

  @Override
  protected TransportUnderTest start(Broker broker) {
    return new InJvm(broker);
  }

  private record InJvm(Broker broker, ExecutorService threads) implements TransportUnderTest {

    InJvm(Broker broker) {
      this(broker, Executors.newCachedThreadPool());
    }

    @Override
    public Party open() {
      return new InJvmParty(broker, threads);
    }

    @Override
    public Reader watch(TagFilter filter) {
      InJvmReader reader = new InJvmReader(threads);
      broker.watch(filter, reader, reader);
      return reader;
    }

    @Override
    public void close() {
      threads.shutdownNow();
    }
  }

  /** Records its events, one at a time, when it may; and is the executor on which that happens. */
  private static class InJvmReader implements Reader, Watcher, Executor {

    private final BlockingQueue<Object> told = new LinkedBlockingQueue<>();
    private final Semaphore turn = new Semaphore(1);
    private final Semaphore inside = new Semaphore(1);
    private final Executor threads;
    private final AtomicInteger tasks = new AtomicInteger();
    private volatile boolean gone;

    InJvmReader(Executor threads) {
      this.threads = threads;
    }

    @Override
    public void execute(Runnable task) {
      if (gone) {
        throw new RejectedExecutionException("gone");
      }
      tasks.incrementAndGet();
      threads.execute(
          () -> {
            task.run();
            tasks.decrementAndGet();
          });
    }

    final void take(Object what) {
      assertThat(inside.tryAcquire()).as("one at a time").isTrue();
      turn.acquireUninterruptibly();
      told.add(what);
      turn.release();
      inside.release();
    }

    private Object awaitNext() {
      try {
        Object next = told.poll(10, TimeUnit.SECONDS);
        if (next != null) {
          return next;
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      throw new AssertionError("Nothing came");
    }

    @Override
    public Event next() {
      return (Event) awaitNext();
    }

    @Override
    public String awaitEnd() {
      Object next = awaitNext();
      while (next instanceof Event) {
        next = awaitNext();
      }
      assertThat(told).isEmpty();
      return ((CloseReason) next).code();
    }

    @Override
    public void stall() {
      // When no task is left, all its events count as taken.
      await().until(() -> tasks.get() == 0);
      turn.acquireUninterruptibly();
    }

    @Override
    public void resume() {
      turn.release();
    }

    @Override
    public void leave() {
      gone = true;
    }

    @Override
    public void added(ListedSession session) {
      take(new Event.Added(session));
    }

    @Override
    public void removed(String sid) {
      take(new Event.Removed(sid));
    }

    @Override
    public void ready(int count) {
      take(new Event.Ready(count));
    }

    @Override
    public void closed(CloseReason reason) {
      take(reason);
    }
  }

  private static final class InJvmParty extends InJvmReader implements Party, Receiver {

    private final Channel channel;

    InJvmParty(Broker broker, Executor threads) {
      super(threads);
      channel = broker.openChannel((Receiver) this, this);
    }

    @Override
    public String id() {
      return channel.id();
    }

    @Override
    public void received(Channel to, Message message) {
      take(new Event.Received(message));
    }

    @Override
    public void closed(Channel which, CloseReason reason) {
      take(reason);
    }
  }
}
