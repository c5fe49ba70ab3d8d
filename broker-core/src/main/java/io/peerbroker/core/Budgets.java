package io.peerbroker.core;

/**
 * The byte budgets of one broker's channels. They are created here, by name, so that no two can be
 * mistaken for each other. No record, since Lincheck cannot look into one.
 */
final class Budgets {

  /** The bytes in the queues of clients' channels. */
  final ByteBudget queues;

  /** The queues of the application's own channels: counted, and bounded for each alone. */
  final ByteBudget ownQueues = new ByteBudget(Long.MAX_VALUE);

  /** The bytes kept for replay. */
  final ByteBudget replay;

  Budgets(Limits limits) {
    queues = ByteBudget.ofQueues(limits);
    replay = ByteBudget.ofReplay(limits);
  }

  /** Returns how many bytes all channels hold. */
  long used() {
    return queues.used() + ownQueues.used() + replay.used();
  }
}
