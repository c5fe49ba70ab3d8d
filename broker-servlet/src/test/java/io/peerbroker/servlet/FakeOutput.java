package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A container's side of a response that behaves as a test demands, and fails the test that breaks
 * the container's rules: it must be asked before each write and flush, and must not be touched once
 * it is over.
 */
final class FakeOutput implements StreamWriter.Output {

  /** How often it still reports room. */
  int room = Integer.MAX_VALUE;

  /** Whether a yes holds until the next write or flush. */
  boolean steady;

  /** How often it was asked whether there is room. */
  int asked;

  /** Runs inside the next write or flush, before anything else. */
  @Nullable Runnable inside;

  /** Runs inside the next question whether there is room. */
  @Nullable Runnable insideIsReady;

  /** Runs inside {@link #complete}. */
  @Nullable Runnable insideComplete;

  /** Thrown by the next write or flush, which then does nothing. */
  @Nullable Exception failure;

  /** The calls, in order: {@code write x}, {@code flush}, {@code complete}. */
  final List<String> calls = new ArrayList<>();

  private boolean ready;
  private boolean over;

  @Override
  public boolean isReady() {
    checkNotOver();
    asked++;
    Runnable first = insideIsReady;
    insideIsReady = null;
    ready = room > 0;
    if (ready) {
      room--;
    }
    if (first != null) {
      first.run();
    }
    return ready;
  }

  @Override
  public boolean isSteady() {
    return steady;
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    act("write " + new String(bytes, UTF_8));
  }

  @Override
  public void flush() throws IOException {
    act("flush");
  }

  @Override
  public void complete() {
    checkNotOver();
    over = true;
    calls.add("complete");
    if (insideComplete != null) {
      insideComplete.run();
    }
  }

  private void act(String call) throws IOException {
    checkNotOver();
    if (!ready) {
      throw new AssertionError(call + " without room");
    }
    ready = false;
    Runnable first = inside;
    inside = null;
    if (first != null) {
      first.run();
    }
    Exception thrown = failure;
    failure = null;
    if (thrown instanceof IOException io) {
      throw io;
    } else if (thrown instanceof RuntimeException unchecked) {
      throw unchecked;
    }
    calls.add(call);
  }

  private void checkNotOver() {
    if (over) {
      throw new AssertionError("Touched after complete, after " + calls);
    }
  }
}
