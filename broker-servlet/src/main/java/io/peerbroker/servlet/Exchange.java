package io.peerbroker.servlet;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Caller;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Timer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One request and its one answer: on the request's own thread, or later and then from any thread.
 * If asynchronous requests are on, only a few threads at a time write an answer themselves ({@link
 * DirectAnswers}).
 */
final class Exchange implements BodyReader.Asked {

  private static final AtomicBoolean SAID_WHAT_ASYNC_NEEDS = new AtomicBoolean();

  final HttpServletRequest request;
  final HttpServletResponse response;
  private final HttpSettings settings;
  private final DirectAnswers direct;
  private final Timer timer;

  /** Written by the request's own thread, before any other has the exchange. */
  private volatile @Nullable LateAnswer late;

  // Used by the request's own thread only.
  private @Nullable AsyncContext async;
  private boolean bodyIsRead;

  // Used by the request's own thread, and after leave() by the thread that answers.
  private boolean handedOver;
  private boolean answered;

  /** Whether the request's own thread is done with it. */
  private boolean left;

  Exchange(
      HttpServletRequest request,
      HttpServletResponse response,
      HttpSettings settings,
      DirectAnswers direct,
      Timer timer) {
    this.request = request;
    this.response = response;
    this.settings = settings;
    this.direct = direct;
    this.timer = timer;
  }

  boolean isHead() {
    return request.getMethod().equals("HEAD");
  }

  /**
   * Makes the request asynchronous, so that it can be answered when the container's thread has
   * returned. Must be called on the request's own thread; may be called again.
   */
  AsyncContext startAsync() {
    AsyncContext started = async;
    if (started == null) {
      requireAsync();
      started = request.startAsync();
      async = started;
    }
    return started;
  }

  /**
   * Hands the response over to its writer, which writes after the container's thread has returned
   * and listens to the container itself. If that fails, {@link #answer} ends it.
   */
  AsyncContext handOver() {
    AsyncContext started = startAsync();
    handedOver = true;
    return started;
  }

  /**
   * Leaves the exchange, which is asynchronous, to another thread: the last call of the request's
   * own thread.
   */
  void leave() {
    left = true;
  }

  /** Lets {@link #answer} come after the container's thread has returned. May be called again. */
  @Override
  public LateAnswer answerLater() {
    LateAnswer begun = late;
    if (begun == null) {
      try {
        begun = LateAnswer.begin(startAsync(), !isHead(), settings, direct, timer);
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
      late = begun;
    }
    return begun;
  }

  /** Returns the caller for the policy: a copy of the request. Without a policy it is trusted. */
  Caller caller(AccessPolicy policy) {
    return policy == AccessPolicy.allowAll() ? Caller.trusted() : HttpCaller.of(request);
  }

  /** Performs the request; a failure is the broker's or its policy's, and is answered as such. */
  void act(Runnable deed) {
    try {
      RefusedException.untraced(deed);
    } catch (UncheckedIOException failed) {
      answer(Objects.requireNonNull(failed.getCause()));
    } catch (Throwable failed) {
      // Errors too, of the application's code: the container would answer without a word of ours.
      answer(failed);
    }
  }

  @Override
  public HttpServletRequest request() {
    return request;
  }

  @Override
  public void bodyIsRead() {
    bodyIsRead = true;
  }

  /**
   * Returns whether the body is all there. Its bytes so far are read and dropped.
   *
   * @see BodyReader
   */
  boolean isBodyOver() throws IOException {
    if (!bodyIsRead) {
      bodyIsRead = !declaresBody() || (!waitsWithItsBody() && BodyReader.skip(request));
    }
    return bodyIsRead;
  }

  /** Refuses a body that does not belong here, unless it has come whole: nothing would read it. */
  void requireNoBody() throws IOException {
    if (!isBodyOver()) {
      throw Problem.invalidRequest("A GET has no body.");
    }
  }

  /**
   * Whether the client waits for an interim answer before it sends its body; reading the body sends
   * that answer.
   */
  private boolean waitsWithItsBody() {
    return "100-continue".equalsIgnoreCase(request.getHeader("Expect"));
  }

  private boolean declaresBody() {
    ServletRequest original = request;
    while (original instanceof ServletRequestWrapper wrapper) {
      original = wrapper.getRequest();
    }
    long length = original.getContentLengthLong();
    return length > 0
        || (length < 0
            && original instanceof HttpServletRequest http
            && (http.getHeader("Transfer-Encoding") != null
                || (!http.getProtocol().startsWith("HTTP/1") && http.getMethod().equals("POST"))));
  }

  /** Refuses to go on if the answer could not come later. */
  void requireAsync() {
    if (request.isAsyncSupported()) {
      return;
    }
    String cure =
        "Asynchronous requests are off: set asyncSupported=true on the broker's servlet and on every filter before it.";
    if (!SAID_WHAT_ASYNC_NEEDS.getAndSet(true)) {
      Log.LOG.log(System.Logger.Level.ERROR, cure);
    }
    throw new Problem(500, "internal", cure);
  }

  /** Gives the answer, unless that has been done. */
  void answer(Reply reply) {
    LateAnswer begun = late;
    if (begun != null) {
      begun.give(reply);
      return;
    }
    if (answered) {
      return;
    }
    answered = true;
    try {
      AsyncContext started = async;
      if (started != null && handedOver) {
        endWhatDidNotBegin(started, reply);
      } else if (left) {
        answerLater().give(reply);
      } else if (!request.isAsyncSupported()) {
        reply.write(response, !isHead());
      } else {
        boolean bodyIsOver = isBodyOver();
        if (!bodyIsOver || !isWrittenHere(reply)) {
          // Even if it could be written at once: a client that sends many requests and reads no
          // answer would keep a thread of the container for each of its connections.
          LateAnswer answer = answerLater();
          if (!bodyIsOver) {
            leaveBody(answer);
          }
          answer.giveAtOnce(reply);
        }
      }
    } catch (IOException | UncheckedIOException gone) {
      Log.LOG.log(System.Logger.Level.DEBUG, "The client did not wait for its answer", gone);
    }
  }

  /** Lets a body go on, or not even begin, while the answer is written. */
  private void leaveBody(LateAnswer answer) throws IOException {
    if (waitsWithItsBody()) {
      // It sends nothing, and must not be made to.
      answer.leaveBody();
    } else {
      BodyReader.forget(request, settings, timer, answer);
    }
  }

  /** Writes the answer and ends the response, if this thread may wait for that. */
  private boolean isWrittenHere(Reply reply) throws IOException {
    // A response that is not the container's own may be written by its filter, later.
    if (async != null || !DirectAnswers.fit(request, response) || !direct.enter(reply)) {
      return false;
    }
    try {
      reply.write(response, !isHead());
      response.getOutputStream().close();
    } finally {
      direct.leave();
    }
    return true;
  }

  /** A stream that went asynchronous and then failed; nothing but this thread knows of it. */
  private void endWhatDidNotBegin(AsyncContext started, Reply reply) throws IOException {
    try {
      reply.write((HttpServletResponse) ServletOutput.original(started.getResponse()), !isHead());
    } finally {
      started.complete();
    }
  }

  /** Gives the answer to a failure. */
  @Override
  public void answer(Throwable failure) {
    Throwable thrown = failure;
    // What a stage or a callback has wrapped is what happened.
    while ((thrown instanceof CompletionException || thrown instanceof UncheckedIOException)
        && thrown.getCause() != null) {
      thrown = thrown.getCause();
    }
    if (thrown instanceof Problem problem) {
      answer(problem.reply());
    } else if (thrown instanceof RefusedException refused) {
      answer(Problem.of(refused).reply());
    } else {
      // A container's exception about a connection is no fault, and there may be many.
      System.Logger.Level level =
          thrown instanceof IOException ? System.Logger.Level.DEBUG : System.Logger.Level.ERROR;
      Log.LOG.log(level, "A request failed", thrown);
      answer(Problem.internal().reply());
    }
  }
}
