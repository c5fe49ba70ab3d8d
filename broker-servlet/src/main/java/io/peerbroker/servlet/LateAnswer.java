package io.peerbroker.servlet;

import io.peerbroker.core.Timer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletResponse;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request that comes after the container's thread has returned, or before the
 * request's body has: written without blocking, and by the rules of {@link StreamWriter}.
 *
 * <p>The response is completed when the answer is written and the body is over, whichever is last:
 * Undertow and Tomcat would read the rest of an unfinished body with a thread of their pools. Jetty
 * would not. There the exchange is ended in time even without a callback: none comes for a body
 * that goes on without content, in the line of a chunk's size or in trailers.
 *
 * <p>Safe for use by many threads; no method blocks or waits for a container.
 */
final class LateAnswer implements StreamWriter.Source {

  /**
   * How long the container may take to handle a body that broke off, and the answer to reach the
   * client, before the response is ended in any state: after a reset Undertow makes no callback.
   */
  private static final Duration BROKEN_BODY_GRACE = Duration.ofSeconds(1);

  private final AsyncContext async;
  private final boolean withBody;
  private final boolean isHttp1;

  /** Whether a response over HTTP/1.1 may be completed though its body goes on. */
  private final boolean isJetty;

  /**
   * The connection, if the container does not end it: after an answer with {@code Connection:
   * close} Jetty 11 reads on, for as long as the client sends.
   */
  private final @Nullable Closeable connection;

  private final Duration writeTimeout;
  private final Duration bodyTimeout;
  private final DirectAnswers direct;

  /** Whether the container's callbacks may act, and write the answer themselves. */
  private final boolean actsOnCallbacks;

  private final Timer timer;
  private final ResponseTimeout task;
  private final AsyncResponse response;
  private final StreamWriter writer;
  private final AtomicReference<@Nullable Reply> reply = new AtomicReference<>();

  /** The container's thread that acts on the body now. */
  private volatile @Nullable Thread actor;

  private volatile boolean bodyUnfinished;
  private volatile boolean bodyUnwanted;

  /** Whether the exchange must be cut off. Written before the task that does it is scheduled. */
  private volatile boolean bodyBroken;

  private volatile boolean over;

  /** When a body that goes on behind the answer is cut off. Written before the task that reads. */
  private volatile long cutAt;

  private enum Given {
    NOTHING,
    BEGINNING,
    FLUSHED_BEGINNING,
    ALL
  }

  /** How much of the answer has been given. Used by the writer's owner only. */
  private Given given = Given.NOTHING;

  private LateAnswer(
      AsyncContext async,
      boolean withBody,
      HttpSettings settings,
      DirectAnswers direct,
      Timer timer)
      throws IOException {
    this.async = async;
    this.withBody = withBody;
    isHttp1 = async.getRequest().getProtocol().startsWith("HTTP/1");
    ServletResponse original = ServletOutput.original(async.getResponse());
    isJetty = ContainerQuirks.isJetty(original);
    this.direct = direct;
    actsOnCallbacks = DirectAnswers.fit(async.getRequest(), original);
    connection = ContainerQuirks.connectionToClose(async.getRequest());
    writeTimeout = settings.writeTimeout();
    bodyTimeout = settings.bodyTimeout();
    this.timer = timer;
    response = new AsyncResponse(async, this, timer);
    task = response.timeout;
    writer = response.writer;
  }

  /** Waits for the answer; must be called on the request's own thread. */
  static LateAnswer begin(
      AsyncContext async,
      boolean withBody,
      HttpSettings settings,
      DirectAnswers direct,
      Timer timer)
      throws IOException {
    return new LateAnswer(async, withBody, settings, direct, timer);
  }

  /** Runs something after a while, unless the answer has been given; replaces what was set. */
  void after(Duration delay, Runnable what) {
    task.watch(delay, () -> run(what));
  }

  /** Runs something on a thread of the container's pool. */
  void run(Runnable what) {
    try {
      async.start(what);
    } catch (RuntimeException refused) {
      // The exchange is over, or the container stops.
      writer.abort();
    }
  }

  /**
   * Acts on a body that is there: on this thread, which is one of the container's callbacks, or on
   * one of its pool, if an application's policy or router could hold up many connections here.
   */
  void act(Runnable deed) {
    if (actsOnCallbacks) {
      actor = Thread.currentThread();
      try {
        deed.run();
      } finally {
        actor = null;
      }
    } else {
      run(deed);
    }
  }

  /** Writes the answer on the request's own thread; no answer may have been given before. */
  void giveAtOnce(Reply answer) {
    if (take(answer)) {
      start();
    }
  }

  /** Gives the answer, unless that has been done. */
  void give(Reply answer) {
    if (!take(answer)) {
      return;
    }
    if (actor != Thread.currentThread()) {
      run(this::start);
    } else if (direct.enter(answer)) {
      try {
        response.writeHere();
      } finally {
        direct.leave();
      }
    } else {
      start();
    }
  }

  private boolean take(Reply answer) {
    if (!reply.compareAndSet(null, answer)) {
      return false;
    }
    response.beforeFirstWrite(
        original -> {
          // The bytes after a body that is not read to its end must never be taken for a request.
          Reply told =
              (bodyUnfinished || bodyUnwanted) && isHttp1
                  ? answer.with("Connection", "close")
                  : answer;
          told.writeHead(original);
        });
    Duration first = writeTimeout;
    if (mayBeCut()) {
      Duration untilCut = bodyUnwanted ? BROKEN_BODY_GRACE : bodyTimeout.plus(BROKEN_BODY_GRACE);
      cutAt = timer.nanoTime() + untilCut.toNanos();
      first = min(first, untilCut);
    }
    watchIn(first);
    return true;
  }

  /**
   * Lets the container call the writer, on a thread of its own. The listener is not set before
   * there is something to write, and only the container's callbacks write: if a write of another
   * thread fails while a thread of Tomcat's is about to leave this request, that thread reuses the
   * response for the next one, and asks no listener first.
   */
  private void start() {
    try {
      response.start();
    } catch (RuntimeException over) {
      writer.abort();
    }
  }

  /** From now on the response is not completed before {@link #bodyIsOver}. */
  void awaitBody() {
    bodyUnfinished = true;
  }

  /** Notes that the body has ended. */
  void bodyIsOver() {
    bodyUnfinished = false;
    writer.drain();
  }

  /**
   * Notes that the body was not asked for: its client waits for that before it sends any. Must be
   * called before the answer is given, which is the connection's last.
   */
  void leaveBody() {
    bodyUnwanted = true;
    // Jetty 11 would read on: the exchange has to stay, and with it what cuts the client off.
    bodyUnfinished = connection != null;
  }

  /** Notes that the body has broken off, or is cut off: its answer is the connection's last. */
  void bodyIsBroken() {
    bodyBroken = true;
    task.watch(BROKEN_BODY_GRACE, () -> run(this::cut));
  }

  /** Schedules a check of the answer, unless its body has broken off, even at this moment. */
  private void watchIn(Duration delay) {
    task.watch(delay, this::watch);
    if (bodyBroken) {
      bodyIsBroken();
    }
  }

  /** Whether an answered exchange is ended though its body goes on. */
  private boolean mayBeCut() {
    return isJetty && isHttp1 && bodyUnfinished;
  }

  private void cut() {
    // First: Jetty 11 logs a warning about each exchange that is completed while a read is pending.
    try {
      if (connection != null) {
        connection.close();
      }
    } catch (IOException ended) {
      // It has been closed in any case.
    } finally {
      writer.abort();
    }
  }

  /** Whether the exchange has ended, answered or not. */
  boolean isOver() {
    return over;
  }

  private void watch() {
    boolean mayBeCut = mayBeCut();
    Duration untilCut = Duration.ofNanos(cutAt - timer.nanoTime());
    if (mayBeCut && (untilCut.isNegative() || untilCut.isZero())) {
      run(this::cut);
      return;
    }
    long nanosLeft = task.nanosLeft(writer.blockedNanos(), writeTimeout);
    if (nanosLeft > 0) {
      Duration left = Duration.ofNanos(nanosLeft);
      watchIn(mayBeCut ? min(left, untilCut) : left);
    } else {
      writer.abandon();
    }
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /**
   * Returns the answer: in one piece, or, if the response stays open after it, in two with a flush
   * between them, since Open Liberty holds back the first flush until there is another.
   */
  @Override
  public byte @Nullable [] next() {
    Reply answer = reply.get();
    if (answer == null || given == Given.BEGINNING || given == Given.ALL) {
      return null;
    }
    byte[] bytes = withBody ? answer.bytes() : new byte[0];
    int last = bytes.length - 1;
    if (given == Given.NOTHING && bodyUnfinished && last > 0) {
      given = Given.BEGINNING;
      return Arrays.copyOf(bytes, last);
    }
    byte[] piece = given == Given.NOTHING ? bytes : Arrays.copyOfRange(bytes, last, bytes.length);
    given = Given.ALL;
    return piece;
  }

  @Override
  public void flushed() {
    if (given == Given.BEGINNING) {
      given = Given.FLUSHED_BEGINNING;
    }
  }

  @Override
  public boolean isFinished() {
    return given == Given.ALL && !bodyUnfinished;
  }

  @Override
  public void taken() {}

  @Override
  public void ended(StreamWriter.End end) {
    over = true;
    if (end == StreamWriter.End.ABANDONED) {
      response.endAtLast(this::cut);
    } else if (end == StreamWriter.End.FAILED) {
      Log.LOG.log(System.Logger.Level.DEBUG, "The client did not wait for its answer");
    }
  }

  @Override
  public void closed() {
    over = true;
    task.cancel();
  }
}
