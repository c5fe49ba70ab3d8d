package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** A watch of a caller that may not see everything, with what is needed to ask the policy again. */
final class AuthorizedWatch {

  private final AccessPolicy policy;
  private final Caller caller;
  private final ParsedFilter asked;
  private final LocalWatch stream;

  /**
   * How many rechecks were requested since the last one ended; the thread that raises it from zero
   * does the asking.
   */
  private final AtomicInteger rechecks = new AtomicInteger();

  /** Whether there is a predicate is fixed for as long as the watch lives, like the filter. */
  private final boolean withPredicate;

  /**
   * @param asked the filter that the caller asked for, before it was narrowed
   * @param scope the policy's answer to it
   */
  AuthorizedWatch(
      AccessPolicy policy, Caller caller, ParsedFilter asked, Scope scope, LocalWatch stream) {
    this.policy = policy;
    this.caller = caller;
    this.asked = asked;
    this.stream = stream;
    withPredicate = scope.visible() != null;
  }

  /**
   * Asks the policy again, on this thread or on the one that is already asking, so that an outdated
   * answer is never the last one. Throws nothing. If asking fails, because of the application's log
   * or for lack of memory, the watch ends, since what its caller may see is no longer known.
   */
  void recheck() {
    if (rechecks.getAndIncrement() > 0) {
      return;
    }
    int seen;
    do {
      seen = rechecks.get();
      try {
        ask();
      } catch (Throwable failed) {
        ForeignCalls.log(
            "The access policy could not be asked about a watch again; the watch ends", failed);
        ForeignCalls.runLogged(() -> stream.end(CloseReason.SCOPE_CHANGED));
      }
    } while (rechecks.addAndGet(-seen) > 0);
  }

  private void ask() {
    if (stream.isEnding()) {
      return;
    }
    Scope scope;
    try {
      scope = policy.scope(caller, asked);
    } catch (RefusedException refused) {
      // A client that comes back is given the reason.
      stream.end(CloseReason.SCOPE_CHANGED);
      return;
    }
    Predicate<? super ListedSession> visible = scope.visible();
    if ((visible != null) != withPredicate || !asked.and(scope.filter()).equals(stream.filter())) {
      stream.end(CloseReason.SCOPE_CHANGED);
    } else if (visible != null) {
      stream.recheck(visible);
    }
  }
}
