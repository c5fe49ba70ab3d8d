package io.peerbroker.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** A watch of somebody who may not see everything, and what it takes to ask again what he may. */
final class AuthorizedWatch {

  private final AccessPolicy policy;
  private final Caller caller;
  private final TagFilter asked;
  private final LocalWatch stream;

  /** How often it has been asked for since there was an answer; who raises it from zero asks. */
  private final AtomicInteger rechecks = new AtomicInteger();

  /** Whether there is one is settled for as long as the watch lives, like the filter. */
  private final boolean withPredicate;

  /**
   * @param asked what the caller asked for, before it was narrowed
   * @param scope what the policy has answered to that
   */
  AuthorizedWatch(
      AccessPolicy policy, Caller caller, TagFilter asked, Scope scope, LocalWatch stream) {
    this.policy = policy;
    this.caller = caller;
    this.asked = asked;
    this.stream = stream;
    withPredicate = scope.visible() != null;
  }

  /**
   * Asks the policy again, here or on the thread that is at it already: an answer that has become
   * old meanwhile is never the last one. Throws nothing: where asking fails, by the application's
   * log or for want of memory, the watch ends, since what may be seen is not known any more.
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
        ForeignCalls.log("A watch could not be asked about again; it ends", failed);
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
      // Whoever comes back is told the reason.
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
