package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A source that gives the bytes that a test puts into it, and records its calls. */
final class FakeSource implements StreamWriter.Source {

  private final Queue<String> texts = new ArrayDeque<>();

  /** Whether nothing more will come. */
  boolean finished;

  /** Thrown by the next call for bytes. */
  @Nullable Throwable failure;

  /** Runs when it is asked for bytes, before anything else. */
  Runnable insideNext = () -> {};

  /** Runs when it is notified of the end. */
  Runnable insideEnded = () -> {};

  /** Runs once, when it is notified that everything is flushed. */
  Runnable insideFlushed = () -> {};

  /** Whether others must have their turn first. */
  BooleanSupplier givesWay = () -> false;

  /** Its notifications, in order: {@code taken}, the end's name, {@code closed}. */
  final List<String> told = Collections.synchronizedList(new ArrayList<>());

  FakeSource with(String... more) {
    texts.addAll(List.of(more));
    return this;
  }

  FakeSource finished() {
    finished = true;
    return this;
  }

  @Override
  public byte @Nullable [] next() {
    insideNext.run();
    if (failure instanceof Error error) {
      throw error;
    } else if (failure instanceof RuntimeException unchecked) {
      throw unchecked;
    }
    String text = texts.poll();
    return text == null ? null : text.getBytes(UTF_8);
  }

  @Override
  public void taken() {
    told.add("taken");
  }

  @Override
  public void flushed() {
    Runnable once = insideFlushed;
    insideFlushed = () -> {};
    once.run();
  }

  @Override
  public boolean givesWay() {
    return givesWay.getAsBoolean();
  }

  @Override
  public boolean isFinished() {
    return finished;
  }

  @Override
  public void ended(StreamWriter.End end) {
    told.add(end.name());
    insideEnded.run();
  }

  @Override
  public void closed() {
    told.add("closed");
  }
}
