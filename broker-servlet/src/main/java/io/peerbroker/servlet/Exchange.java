package io.peerbroker.servlet;

import io.peerbroker.core.RefusedException;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** One request and the one answer that it gets, at once or later and then from any thread. */
final class Exchange {

  private static final System.Logger LOG = System.getLogger(BrokerHttp.class.getName());
  private static final AtomicBoolean SAID_WHAT_ASYNC_NEEDS = new AtomicBoolean();

  final HttpServletRequest request;
  final HttpServletResponse response;
  private final boolean withBody;

  /** Held while the answer is written. Reentrant: Undertow calls back inside a write that fails. */
  private final ReentrantLock writing = new ReentrantLock();

  private volatile @Nullable AsyncContext async;

  /** Answered, or ended by the container. Guarded by the lock. */
  private boolean over;

  Exchange(HttpServletRequest request, HttpServletResponse response) {
    this.request = request;
    this.response = response;
    withBody = !isHead();
  }

  boolean isHead() {
    return request.getMethod().equals("HEAD");
  }

  /**
   * Hands the response over to who writes it after the container's thread has returned, and listens
   * to the container himself. Should that not come about, {@link #answer} ends it.
   */
  AsyncContext startAsync() {
    requireAsync();
    AsyncContext started = request.startAsync();
    async = started;
    return started;
  }

  /** Lets {@link #answer} come after the container's thread has returned. May be called again. */
  void answerLater() {
    if (async == null) {
      AsyncContext started = startAsync();
      // Tomcat's default is 30 s; we have deadlines of our own.
      started.setTimeout(0);
      started.addListener(new Barrier());
    }
  }

  /**
   * Keeps the container waiting while an answer is being written: when that fails on a thread of
   * ours, Tomcat calls back on another and then uses the response for the next request, which would
   * be given our exception.
   */
  private final class Barrier implements AsyncListener {

    @Override
    public void onComplete(AsyncEvent event) {
      waitForTheWriter(true);
    }

    @Override
    public void onError(AsyncEvent event) {
      waitForTheWriter(false);
    }

    @Override
    public void onTimeout(AsyncEvent event) {}

    @Override
    public void onStartAsync(AsyncEvent event) {}

    private void waitForTheWriter(boolean ended) {
      writing.lock();
      try {
        over |= ended;
      } finally {
        writing.unlock();
      }
    }
  }

  /**
   * The container's own response, beneath all that filters have wrapped around it, which may hold
   * back what is written. Undertow gives the wrapped one to asynchronous requests.
   */
  static ServletResponse original(ServletResponse response) {
    ServletResponse original = response;
    while (original instanceof ServletResponseWrapper wrapper) {
      original = wrapper.getResponse();
    }
    return original;
  }

  /** Refuses to go on where the answer could not come later. */
  void requireAsync() {
    if (request.isAsyncSupported()) {
      return;
    }
    String cure =
        "Asynchronous requests are off: set asyncSupported=true on the broker's servlet and on every filter before it.";
    if (!SAID_WHAT_ASYNC_NEEDS.getAndSet(true)) {
      LOG.log(System.Logger.Level.ERROR, cure);
    }
    throw new Problem(500, "internal", cure);
  }

  /** Answers, unless that has been done. */
  void answer(Reply reply) {
    try {
      write(reply);
    } catch (IOException | RuntimeException gone) {
      // Where the container has ended the exchange, Tomcat says so with a NullPointerException.
      LOG.log(System.Logger.Level.DEBUG, "The client did not wait for its answer", gone);
    }
  }

  private void write(Reply reply) throws IOException {
    writing.lock();
    try {
      AsyncContext started = async;
      if (over) {
        return;
      }
      over = true;
      if (started == null) {
        reply.write(response, withBody);
        return;
      }
      try {
        // A filter that has wrapped it has done its part when the thread has returned.
        HttpServletResponse original = (HttpServletResponse) original(started.getResponse());
        reply.write(original, withBody);
        // Undertow would first wait for the rest of a body that is refused.
        original.flushBuffer();
      } finally {
        complete(started);
      }
    } finally {
      writing.unlock();
    }
  }

  private static void complete(AsyncContext started) {
    try {
      started.complete();
    } catch (IllegalStateException alreadyOver) {
      // The container has completed it by itself.
    }
  }

  /** Answers with what went wrong. */
  void answer(Throwable thrown) {
    if (thrown instanceof Problem problem) {
      answer(problem.reply());
    } else if (thrown instanceof RefusedException refused) {
      answer(Problem.of(refused).reply());
    } else {
      LOG.log(System.Logger.Level.ERROR, "A request failed", thrown);
      answer(Problem.internal().reply());
    }
  }
}
