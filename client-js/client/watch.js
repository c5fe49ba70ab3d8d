import { BrokerError, gate } from './error.js';

/**
 * A list as the broker tells it, shared by everybody who watches with the same filter.
 *
 * @param max entries that are held
 * @param read `(sid, session)` returns the entry, or nothing where what a stranger wrote is malformed
 */
export function sharedList(max, read) {
  const entries = new Map();
  const listeners = new Set();
  const ready = gate();
  let told = new Set();
  let isReady;
  let snapshot = [];
  let isStale;
  let willTell;

  function put(sid, entry) {
    const held = entries.get(sid);
    if (held ? JSON.stringify(held) === JSON.stringify(entry) : !entry || entries.size >= max) return;
    if (entry) entries.set(sid, entry);
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
      listeners.forEach(queueMicrotask);
    });
  }

  function settled(settle, value) {
    settle(value);
    if (isReady && !value) return;
    isReady = true;
    changed();
  }

  const list = {
    users: 0,
    /** From now on the broker tells the list anew; what it does not tell again is gone at `ready`. */
    begin() {
      told = new Set();
    },
    add({ sid, session }) {
      told.add(sid);
      put(sid, read(sid, session));
    },
    remove: ({ sid }) => put(sid),
    ready() {
      for (const sid of entries.keys()) if (!told.has(sid)) put(sid);
      settled(ready.resolve);
    },
    /** What it showed may no longer be seen. */
    fail(error) {
      list.error = error;
      entries.clear();
      settled(ready.reject, error);
    },
    /** This session is of this client. */
    own: (sid) => entries.has(sid) && put(sid, { ...entries.get(sid), own: true }),

    /** One watcher's view. */
    view(release, signal) {
      const closing = gate();
      let isClosed;
      list.users++;

      function subscribe(listener) {
        const call = () => listener();
        listeners.add(call);
        return () => listeners.delete(call);
      }

      function close() {
        if (isClosed) return;
        isClosed = true;
        list.users--;
        signal?.removeEventListener('abort', close);
        closing.reject(signal?.reason ?? new BrokerError('closed', 'This watch was closed.'));
        release();
      }

      const settling = Promise.race([closing.promise, ready.promise]);
      settling.catch(() => {});
      signal?.addEventListener('abort', close);
      if (signal?.aborted) close();

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
            snapshot = [...entries.values()];
          }
          return snapshot;
        },
        /**
         * Yields what has changed since this reader last asked. It is computed from what the reader knows, so a slow reader
         * misses intermediate states, never the last one, and nothing piles up.
         */
        async *[Symbol.asyncIterator]() {
          const known = new Map();
          let isTold;
          while (!isClosed) {
            const change = gate();
            const unsubscribe = subscribe(change.resolve);
            try {
              for (const [sid, session] of entries) {
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
              const { error } = list;
              if (error?.code === 'closed') return;
              if (error) throw error;
              if (isReady && !isTold) yield { type: isTold = 'ready', count: known.size };
              await Promise.race([change.promise, closing.promise]);
            } catch (error) {
              if (!isClosed) throw error;
            } finally {
              unsubscribe();
            }
          }
        },
      };
    },
  };
  return list;
}
