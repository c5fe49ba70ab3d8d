package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The life of an attachment: connected once; ended, woken and detached by any thread, in every
 * order.
 *
 * <p>The calls to the transport come outside of locks, so they are counted at the end.
 */
public class AttachmentLincheckTest {

  private final AtomicInteger unread = new AtomicInteger();
  private final AtomicInteger ends = new AtomicInteger();
  private final AtomicInteger detaches = new AtomicInteger();
  private boolean connected;
  private boolean toEnd;
  private boolean toDetach;

  private final AbstractAttachment link =
      new AbstractAttachment() {
        @Override
        public @Nullable Envelope poll() {
          return null;
        }

        @Override
        public void consumed(int events) {}

        @Override
        void detached(CloseReason reason) {
          detaches.incrementAndGet();
        }
      };

  private final Transport transport =
      new Transport() {
        @Override
        public void ready() {
          unread.set(0);
        }

        @Override
        public void end(CloseReason reason) {
          unread.set(0);
          ends.incrementAndGet();
        }
      };

  @Operation(runOnce = true)
  public void connect() {
    link.connect(transport);
    connected = true;
  }

  @Operation
  public void offer() {
    // An attachment that must end queues nothing more.
    if (!link.isEnding()) {
      unread.incrementAndGet();
      link.wake();
    }
  }

  @Operation
  public void end() {
    link.end(CloseReason.CLOSED);
    toEnd = true;
  }

  @Operation(runOnce = true)
  public void detach() {
    link.detach(CloseReason.GONE);
    toDetach = true;
  }

  @Validate
  public void keepsItsPromises() {
    check(detaches.get() == (toDetach ? 1 : 0), "detached once");
    check(ends.get() <= 1, "told to end at most once");
    if (connected && !toDetach) {
      check(ends.get() == (toEnd ? 1 : 0), "asked to end");
      check(unread.get() == 0, "woken for each offer");
    }
  }

  private void check(boolean holds, String promise) {
    if (!holds) {
      throw new IllegalStateException("Not " + promise);
    }
  }

  @Test
  void keepsItsPromisesInEveryOrder() {
    Lincheck.check(getClass(), 200);
  }
}
