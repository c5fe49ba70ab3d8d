import { BrokerError } from './error.js';

/** The most that one body carries: messages, and bytes of theirs. */
const MESSAGES = 64;
const BYTES = 60 * 1024;

/** The most that wait. */
const WAITING = 1024;

/** Refusals that are about the whole channel and pass by themselves: all that waits goes on waiting. */
const PASSING = /^(rate_limited|at_capacity|shutting_down)$/;

/**
 * Sends the numbered requests of a channel: one under way at a time, so in order, and each repeated with its number until the
 * broker has answered, so performed once. What waits for the same target goes together.
 *
 * A request is `{path, body}` (functions of the channel), or `{target, origin, json}` for a message.
 */
export class Outbox {
  #waiting = [];
  #batch = [];
  #isRunning = false;
  #broker;

  /**
   * @param broker `open()` resolves with the channel `{cid, key, seq}` once its stream is open, `post(path, json)`,
   *   `lives(channel)` whether the broker knows it, `pause(attempt, seconds)`, `address(origin)` what it is by now
   */
  constructor(broker) {
    this.#broker = broker;
  }

  /** Resolves with the answer `{…, channel}`, or rejects after `within` milliseconds. */
  add(request, { within = 30_000, signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#waiting.length >= WAITING) {
        return reject(new BrokerError('queue_full', `${WAITING} requests wait already: await some of them first.`));
      }
      const item = { ...request, isOver: false };
      const over = (settle) => (value) => {
        if (item.isOver) return;
        item.isOver = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#waiting = this.#waiting.filter((other) => other !== item);
        settle(value);
      };
      item.resolve = over(resolve);
      item.reject = over(reject);
      const abort = () => item.reject(signal.reason);
      signal?.addEventListener('abort', abort);
      const timer = setTimeout(() => item.reject(item.isTried ? unanswered() : item.refused
        ?? new BrokerError('timeout', `There was no connection to the broker within ${within} ms.`)), within);
      this.#putBack([item], true);
      this.#run();
    });
  }

  /** Rejects everything. */
  fail(error) {
    for (const item of [...this.#waiting, ...this.#batch]) item.reject(error);
  }

  async #run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#waiting.length) {
        const channel = await this.#broker.open();
        this.#batch = this.#take();
        if (this.#batch.length) await this.#perform(channel, this.#batch);
      }
    } catch {
      // The broker is closed, and everything that waited has been told.
    }
    this.#isRunning = false;
  }

  #take() {
    const [head] = this.#waiting;
    const batch = [];
    let room = BYTES;
    for (const item of this.#waiting) {
      if (item.target !== head.target) continue;
      const isFull = batch.length === MESSAGES || !item.target || item.isAlone || head.isAlone || item.origin !== head.origin;
      room -= item.json?.length * 3; // at most three bytes for each of its UTF-16 code units
      if (batch.length && (isFull || room < 0)) break;
      batch.push(item);
    }
    this.#waiting = this.#waiting.filter((item) => !batch.includes(item));
    return batch;
  }

  #putBack(items, isNew) {
    const live = items.filter((item) => !item.isOver);
    this.#waiting = isNew ? [...this.#waiting, ...live] : [...live, ...this.#waiting];
    // Sessions that are hosted again come first: others may name them.
    this.#waiting.sort((a, b) => !!b.isUrgent - !!a.isUrgent);
  }

  async #perform(channel, batch) {
    const [{ target, origin, path, body }] = batch;
    const seq = ++channel.seq;
    for (let attempt = 0; ; attempt++) {
      let deliveries;
      try {
        const { cid, key } = channel;
        const head = JSON.stringify({ key, seq, ...(target ? { origin: this.#broker.address(origin ?? cid) } : body(channel)) });
        const answer = await this.#broker.post(
          target ? `/send/${encodeURIComponent(target)}` : path(),
          target ? `${head.slice(0, -1)},"messages":[${batch.map(({ json }) => json)}]}` : head,
        );
        deliveries = answer.deliveries ?? [{ ...answer, channel }];
      } catch (error) {
        if (error.code !== 'unreachable') {
          if (attempt && error.code === 'unknown_channel') return this.#lost(batch);
          return this.#refused(channel, batch, error);
        }
        for (const item of batch) item.isTried = true;
        await this.#broker.pause(attempt);
        if (batch.every(({ isOver }) => isOver)) return;
        if ((await this.#broker.open()) !== channel) return this.#lost(batch);
        continue;
      }
      const first = deliveries.findIndex(({ delivery }) => delivery === 'refused');
      deliveries.slice(0, first < 0 ? undefined : first).forEach((delivery, i) => batch[i].resolve(delivery));
      if (first >= 0) {
        const { code, detail } = deliveries[first];
        await this.#refused(channel, batch.slice(first), new BrokerError(code, detail));
      }
      return;
    }
  }

  /** The channel is gone before it has answered. Its sessions are gone as well; what became of a message, nobody knows. */
  #lost(batch) {
    if (batch[0].target) for (const item of batch) item.reject(unanswered());
    else this.#putBack(batch);
  }

  async #refused(channel, items, error) {
    const { code } = error;
    for (const item of items) {
      item.isTried = false;
      item.refused = error;
    }
    if (PASSING.test(code)) {
      this.#putBack(items);
      await this.#broker.pause(0, Math.min(error.retryAfter || 1, 10));
    } else if (code === 'unknown_channel' && !(await this.#broker.lives(channel))) {
      this.#putBack(items);
      await this.#broker.pause(0);
    } else if (items.length > 1 && !code.includes('target')) {
      // One of them is to blame, and it is not said which.
      for (const item of items) item.isAlone = true;
      this.#putBack(items);
    } else {
      for (const item of items) item.reject(error);
    }
  }
}

function unanswered() {
  return new BrokerError('unanswered', 'The connection was lost before the broker answered: this may have happened or not.');
}
