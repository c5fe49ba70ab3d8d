import { abortable, BrokerError, gate, onAbort } from './error.js';

/**
 * A list as the broker tells it, shared by everybody who watches with the same filter.
 *
 * @param max entries that are held
 * @param read `(sid, session)` returns the entry, or nothing where what a stranger wrote is malformed
 */
export function sharedList(max, read) {
  const entries = new Map(); // sid -> [what the broker told of it, as text; what `read` made of that]
  const views = new Set(); // the listeners of each watcher
  const ready = gate();
  let unconfirmed = new Set(); // sids that were held before the broker began to tell the list anew
  let isReady;
  let snapshot = [];
  let isStale;
  let willTell;

  function put(sid, text, entry) {
    if (!entries.has(sid) && (!entry || entries.size >= max)) return;
    if (entry) entries.set(sid, [text, entry]);
    else entries.delete(sid);
    changed();
  }

  function changed() {
    isStale = true;
    if (willTell || !isReady) return;
    willTell = true;
    // Once for all that has come together, and each on its own, whatever another throws.
    queueMicrotask(() => {
      willTell = false;
      for (const listeners of views) listeners.forEach(queueMicrotask);
    });
  }

  /** What has changed since `known` was so. A reader that is slow misses intermediate states, never the last one. */
  function* changes(known) {
    for (const [sid, [, session]] of entries) {
      const before = known.get(sid);
      if (before === session) continue;
      known.set(sid, session);
      yield { type: before ? 'change' : 'add', session };
    }
    for (const [sid, session] of known) {
      if (entries.has(sid)) continue;
      known.delete(sid);
      yield { type: 'remove', session };
    }
  }

  const list = {
    views,
    /** From now on the broker tells the list anew; what it does not tell again is gone at `ready`. */
    begin() {
      unconfirmed = new Set(entries.keys());
    },
    add({ sid, session }) {
      unconfirmed.delete(sid);
      const text = JSON.stringify(session);
      if (entries.get(sid)?.[0] !== text) put(sid, text, read(sid, session));
    },
    remove: ({ sid }) => put(sid),
    ready() {
      for (const sid of unconfirmed) put(sid);
      ready.resolve();
      if (isReady) return;
      isReady = true;
      changed();
    },
    /** What it showed may no longer be seen. */
    fail(error) {
      list.error = error;
      entries.clear();
      ready.reject(error);
      isReady = true;
      changed();
    },
    /** This session is of this client. */
    own(sid) {
      const [text, entry] = entries.get(sid) ?? [];
      if (entry) put(sid, text, { ...entry, own: true });
    },

    /** One watcher's view. */
    view(release, signal) {
      const listeners = new Set();
      const closing = new AbortController();
      const closed = closing.signal;
      let forget;
      views.add(listeners);

      function subscribe(listener) {
        const call = () => listener();
        listeners.add(call);
        return () => listeners.delete(call);
      }

      function close() {
        if (closed.aborted) return;
        views.delete(listeners);
        forget?.();
        closing.abort(signal?.reason ?? new BrokerError('closed', 'This watch was closed.'));
        release();
      }

      const settling = abortable(ready.promise, closed);
      settling.catch(() => {});
      forget = onAbort(signal, close);

      return {
        ready: settling,
        subscribe,
        close,
        [Symbol.dispose]: close,
        get error() {
          return list.error;
        },
        /** The same array until something changes; empty until the list has been told. */
        get snapshot() {
          if (isReady && isStale) {
            isStale = false;
            snapshot = Array.from(entries.values(), ([, session]) => session);
          }
          return snapshot;
        },
        async *[Symbol.asyncIterator]() {
          const known = new Map();
          let isTold;
          let change = gate();
          const unsubscribe = subscribe(() => change.resolve());
          try {
            while (!closed.aborted) {
              change = gate();
              for (const news of changes(known)) {
                yield news;
                if (closed.aborted) return;
              }
              const { error } = list;
              if (error?.code === 'closed') return;
              if (error) throw error;
              if (isReady && !isTold) yield { type: isTold = 'ready', count: known.size };
              await abortable(change.promise, closed).catch(() => {});
            }
          } finally {
            unsubscribe();
          }
        },
      };
    },
  };
  return list;
}
