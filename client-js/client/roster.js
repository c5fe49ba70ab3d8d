import { abortable, BrokerError } from './error.js';

/** A list as the broker tells it, shared by everybody who watches with the same filter. Event: `change`. */
export class List extends EventTarget {
  entries = new Map();
  isReady = false;
  error;
  users = 0;
  version = 0;
  #told = new Set();
  #snapshot = [];
  #isStale = false;
  #willTell = false;
  #settle;
  #options;

  /** @param options `max` entries, `session(sid, json)` returns what is held for it, or nothing where it is malformed */
  constructor(name, filter, options) {
    super();
    this.name = name;
    this.filter = filter;
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {});
  }

  /** From now on the broker tells the list anew; what it does not tell again is gone at `ready`. */
  begin() {
    this.#told = new Set();
  }

  add({ sid, session }) {
    this.#told.add(sid);
    this.put(sid, this.#options.session(sid, session));
  }

  put(sid, entry) {
    const held = this.entries.get(sid);
    if (!entry) return this.remove({ sid });
    if (held ? JSON.stringify(held) === JSON.stringify(entry) : this.entries.size >= this.#options.max) return;
    this.entries.set(sid, entry);
    this.#changed();
  }

  remove({ sid }) {
    if (this.entries.delete(sid)) this.#changed();
  }

  told() {
    for (const sid of this.entries.keys()) if (!this.#told.has(sid)) this.remove({ sid });
    this.isReady = true;
    this.#settle.resolve();
    this.#changed();
  }

  /** The list is over; what it showed may no longer be seen. */
  fail(error) {
    this.error = error;
    this.entries.clear();
    this.isReady = true;
    this.#settle.reject(error);
    this.#changed();
  }

  /** The same array until something changes; empty until the list has been told. */
  get snapshot() {
    if (this.#isStale) {
      this.#isStale = false;
      this.#snapshot = [...this.entries.values()];
    }
    return this.#snapshot;
  }

  #changed() {
    this.version++;
    if (!this.isReady) return;
    this.#isStale = true;
    if (this.#willTell) return;
    this.#willTell = true;
    // Once for all that has come together.
    queueMicrotask(() => {
      this.#willTell = false;
      this.dispatchEvent(new Event('change'));
    });
  }
}

/** One watcher's view of a list. */
export class Roster {
  #list;
  #release;
  #closing = new AbortController();

  constructor(list, release, signal) {
    list.users++;
    this.#list = list;
    this.#release = release;
    this.ready = abortable(list.ready, this.#closing.signal);
    this.ready.catch(() => {});
    signal?.addEventListener('abort', () => this.close(), { signal: this.#closing.signal });
    if (signal?.aborted) this.close();
  }

  get snapshot() {
    return this.#list.snapshot;
  }

  /** Why the list is over: a refusal, or the end of the channel. */
  get error() {
    return this.#list.error;
  }

  subscribe(changed) {
    const listener = () => changed();
    this.#list.addEventListener('change', listener, { signal: this.#closing.signal });
    return () => this.#list.removeEventListener('change', listener);
  }

  /**
   * Yields what has changed since this reader last asked. It is computed from what the reader knows, so a slow reader misses
   * intermediate states, never the last one, and nothing piles up.
   */
  async *[Symbol.asyncIterator]() {
    const list = this.#list;
    const { signal } = this.#closing;
    const known = new Map();
    let isReady = false;
    while (!signal.aborted) {
      const { version } = list;
      for (const [sid, session] of list.entries) {
        const before = known.get(sid);
        if (before === session) continue;
        known.set(sid, session);
        yield { type: before ? 'change' : 'add', session };
      }
      for (const [sid, session] of known) {
        if (list.entries.has(sid)) continue;
        known.delete(sid);
        yield { type: 'remove', session };
      }
      if (list.error && list.error.code !== 'closed') throw list.error;
      if (list.error) return;
      if (list.isReady && !isReady) {
        isReady = true;
        yield { type: 'ready', count: known.size };
      }
      if (version === list.version && !signal.aborted) {
        const change = new Promise((resolve) => list.addEventListener('change', resolve, { once: true, signal }));
        await abortable(change, signal).catch(() => {});
      }
    }
  }

  close() {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new BrokerError('closed', 'This roster was closed.'));
    this.#list.users--;
    this.#release(this.#list);
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.close();
  }
}
