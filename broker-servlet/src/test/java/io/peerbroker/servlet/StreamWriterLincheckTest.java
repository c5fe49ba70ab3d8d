package io.peerbroker.servlet;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The writer among threads: Lincheck runs short scenarios in many interleavings, and after each the
 * state is judged.
 *
 * <p>The container behind it has room for one call, then refuses once and owes a callback. The
 * source counts: its bytes are 0, 1, 2 and so on, so that a lost, repeated or misplaced byte shows.
 */
@SuppressWarnings("this-escape") // the writer calls nothing before a scenario begins
public class StreamWriterLincheckTest implements StreamWriter.Output, StreamWriter.Source {

  private final StreamWriter writer = new StreamWriter(this, this, () -> 0);

  private final AtomicInteger offered = new AtomicInteger();
  private final AtomicInteger room = new AtomicInteger();

  /** Whether the container has refused, or not answered yet, and owes a callback. */
  private final AtomicBoolean owesCallback = new AtomicBoolean(true);

  // The source's, which one thread at a time may call.
  private int given;
  private int taken;
  private int ends;
  private int closes;

  // The output's, which one thread at a time may call.
  private int written;
  private int flushed;
  private int completes;
  private boolean outOfOrder;
  private boolean unasked;
  private boolean ready;

  private volatile boolean over;
  private volatile boolean abandoned;

  @Operation
  public void offer() {
    offered.incrementAndGet();
    writer.drain();
  }

  @Operation
  public void makeRoom() {
    if (owesCallback.compareAndSet(true, false)) {
      room.set(3);
      writer.onWritePossible();
    }
  }

  @Operation
  public void fail() {
    over = true;
    writer.onFailed();
  }

  @Operation
  public void end() {
    over = true;
    writer.onCompleted();
  }

  @Operation
  public void abandon() {
    abandoned = true;
    writer.abandon();
  }

  /** Judges the state when all is quiet. */
  @Validate
  public void validate() {
    check(!outOfOrder, "bytes in order");
    check(!unasked, "asked before each write");
    check(completes <= 1, "completed at most once");
    check(taken <= written && flushed <= written, "taken only what was written");
    if (over || abandoned) {
      check(ends == 1, "ended once");
      check(closes == (over || !owesCallback.get() ? 1 : 0), "closed once it is over");
    } else {
      check(ends == 0 && closes == 0 && completes == 0, "open");
      check(
          owesCallback.get()
              || (written == offered.get() && flushed == written && taken == written),
          "all written, flushed and taken unless the container owes a callback");
    }
  }

  private void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException("Not " + what);
    }
  }

  @Override
  public boolean isReady() {
    ready = room.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    if (!ready) {
      owesCallback.set(true);
    }
    return ready;
  }

  @Override
  public void write(byte[] bytes) {
    act();
    outOfOrder |= bytes[0] != written;
    written++;
  }

  @Override
  public void flush() {
    act();
    flushed = written;
  }

  private void act() {
    unasked |= !ready || completes > 0;
    ready = false;
  }

  @Override
  public void complete() {
    completes++;
  }

  @Override
  public byte @Nullable [] next() {
    return given < offered.get() ? new byte[] {(byte) given++} : null;
  }

  @Override
  public void taken() {
    taken = given;
  }

  @Override
  public boolean isFinished() {
    return false;
  }

  @Override
  public void ended(StreamWriter.End end) {
    ends++;
  }

  @Override
  public void closed() {
    closes++;
  }

  /** A container whose yes lasts until the next write or flush. */
  public static final class Steady extends StreamWriterLincheckTest {
    @Override
    public boolean isSteady() {
      return true;
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {StreamWriterLincheckTest.class, Steady.class})
  void holdsInEveryInterleaving(Class<?> container) {
    new ModelCheckingOptions()
        .iterations(15)
        .invocationsPerIteration(300)
        .threads(3)
        .actorsPerThread(2)
        .actorsBefore(1)
        .actorsAfter(0)
        .check(container);
  }
}
