import { abortable, BrokerError, brokerError, gate } from './error.js';

/** The most that one body carries: messages, and UTF-16 code units of theirs, each of which takes at most three bytes. */
const MESSAGES = 64;
const UNITS = 20_000;

/** The longest that a timer takes: milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** The most that wait. */
const WAITING = 1024;

/**
 * Sends the numbered requests of a channel: one under way at a time, so in order, and each repeated with its number until the
 * broker has answered, so performed once. What waits for the same target goes together.
 *
 * A request is `{path, body}` (functions, as both depend on the channel), or `{target, origin, json}` for a message. Its
 * `done(answer)` is called before anything else is sent, and also where its caller no longer waits.
 *
 * @param broker `open()` resolves with the channel `{cid, key, seq}` once its stream is open, `post(path, json, {sending})`,
 *   `lives(channel)` whether the broker knows it, `pause(attempt, seconds)`, `address(origin)` what it is by now
 */
export function outbox({ open, post, lives, pause, address }) {
  let waiting = [];
  let underWay = [];
  let runner; // what identifies the loop that runs

  /** Resolves with the answer, or rejects after `within` milliseconds. */
  async function add(request, { within = 30_000, signal } = {}) {
    signal?.throwIfAborted();
    const item = { ...request, ...gate() };
    // What is hosted again was let in before, and comes first.
    if (item.isFirst) waiting.unshift(item);
    else if (waiting.length < WAITING) waiting.push(item);
    else throw new BrokerError('queue_full', 'Too many messages wait: await some.');
    const unsent = 'No connection, or no headers from the application.';
    const timer = setTimeout(() => item.reject(item.failure ?? new BrokerError('timeout', unsent)), Math.min(within, LONGEST));
    run();
    try {
      return await abortable(item.promise, signal);
    } finally {
      clearTimeout(timer);
      item.isOver = true;
      waiting = waiting.filter(({ isOver }) => !isOver);
    }
  }

  async function run() {
    if (runner) return;
    const self = runner = {};
    try {
      while (waiting.length) {
        const channel = await open();
        if (self !== runner) return;
        underWay = take();
        if (underWay.length) await perform(channel, underWay);
      }
    } catch (error) {
      if (self === runner) fail(error);
    }
    if (self === runner) runner = null;
  }

  /** The head of the queue and, if it is a message, what follows it to the same target. */
  function take() {
    const [head] = waiting;
    const taken = [];
    let room = UNITS;
    for (const item of waiting) {
      if (item.target !== head.target) continue;
      room -= item.json?.length;
      if (taken.length && !(room > 0 && taken.length < MESSAGES && item.origin === head.origin && !item.isAlone && !head.isAlone)) break;
      taken.push(item);
    }
    waiting = waiting.filter((item) => !taken.includes(item));
    return taken;
  }

  async function perform(channel, batch) {
    const { cid, key } = channel;
    const seq = ++channel.seq;
    const [{ target, origin: from = cid, path, body }] = batch;
    const origin = address(from); // once: a repetition has the key of the same channel, and its addresses
    const end = (error) => batch.forEach((item) => item.reject(error));
    let error;
    let sent = 0; // times
    const again = (seconds) => {
      // Behind the sessions that are hosted again, which it may name.
      waiting.splice(waiting.filter(({ isFirst }) => isFirst).length, 0, ...batch.filter(({ isOver }) => !isOver));
      for (const item of batch) item.failure = error;
      return seconds && pause(0, seconds);
    };
    for (let attempt = 0; ; attempt++) {
      error = null;
      const sending = () => {
        sent++;
        for (const item of batch) item.failure = unanswered();
      };
      try {
        const head = JSON.stringify({ key, seq, ...(target ? { origin } : body(cid)) });
        const answer = await post(
          target ? '/send/' + encodeURIComponent(target) : path(),
          target ? `${head.slice(0, -1)},"messages":[${batch.map(({ json }) => json)}]}` : head,
          { sending },
        );
        for (const delivery of answer.deliveries ?? [answer]) {
          // What follows a refused message has not been sent.
          if (delivery.delivery === 'refused') error ??= new BrokerError(delivery.code, delivery.detail);
          else {
            const item = batch.shift();
            item.done?.(delivery);
            item.resolve(delivery);
          }
        }
        if (!error) return;
      } catch (failure) {
        error = brokerError(failure); // also where the answer has a shape that no broker's has
      }
      const { code, retryAfter } = error;
      if (code === 'unreachable') {
        await pause(attempt);
        await open();
        if (batch.every(({ isOver }) => isOver)) return;
        continue;
      }
      // What became of a message, nobody knows; a session is gone with its channel, so it can be hosted on the next.
      if (code === 'unknown_channel' && !(await lives(channel))) return target && sent > 1 ? end(unanswered()) : again(1);
      // These are about the whole channel, and pass.
      if (/^(rate_|at_cap|shutting_)/.test(code)) return again(Math.min(retryAfter || 1, 10));
      // One of them is to blame, and it is not said which.
      if (!batch[1] || /target/.test(code)) return end(error);
      for (const item of batch) item.isAlone = true;
      return again();
    }
  }

  /** Rejects all that waits; what is added from now on waits for another channel. */
  function fail(error) {
    for (const item of [...waiting, ...underWay]) item.reject(error);
    waiting = [];
    runner = null;
  }

  return { add, fail };
}

const unanswered = () => new BrokerError('unanswered', 'No answer: it may have happened.');
