/**
 * Who is there: the watch for one tag filter, kept as an array that is handed on whole whenever something changes.
 *
 * A browser opens at most six HTTP/1.1 connections to one server, all tabs together. A channel takes one in each tab, so the
 * list is held once for all of them, in a shared worker; where there are no shared workers each page holds its own.
 */
import { BrokerError, probeList, watchList } from './broker-client.js';

/** The list for one filter. `publish` gets `{filter, state, detail, complete, sessions}`, at most once per turn of the event loop. */
export class Roster {
  #base;
  #filter;
  #publish;
  #watch;
  #sessions = new Map();
  #state = 'connecting';
  #detail = '';
  #complete = false;
  #due = false;

  constructor(base, filter, publish) {
    this.#base = base;
    this.#filter = filter;
    this.#publish = publish;
    this.#watch = watchList(base, filter, {
      state: ({ state }) => this.#turned(state),
      added: (sid, session) => this.#changed(() => this.#sessions.set(sid, session)),
      removed: (sid) => this.#changed(() => this.#sessions.delete(sid)),
      ready: () => this.#changed(() => (this.#complete = true)),
    });
  }

  get snapshot() {
    return {
      filter: this.#filter,
      state: this.#state,
      detail: this.#detail,
      complete: this.#complete,
      sessions: Array.from(this.#sessions, ([sid, session]) => ({ sid, ...session })),
    };
  }

  retry() {
    this.#watch.retry();
  }

  close() {
    this.#watch.close();
  }

  #turned(state) {
    this.#changed(() => {
      this.#state = state;
      this.#detail = '';
      if (state !== 'open') this.#complete = false;
    });
    if (state === 'away') this.#explain();
  }

  /** An EventSource doesn't show what a refusal says; an ordinary request does. */
  async #explain() {
    try {
      await probeList(this.#base, this.#filter);
    } catch (failure) {
      if (!(failure instanceof BrokerError) || failure.status === 0 || this.#state === 'open') return;
      this.#changed(() => {
        this.#detail = failure.message;
        if (failure.code === 'invalid_filter' || failure.code === 'invalid_tag') {
          this.#state = 'refused';
          this.#watch.close(); // asking again would not help
        }
      });
    }
  }

  #changed(change) {
    change();
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.#publish(this.snapshot);
    });
  }
}

/** Connects a page to the list. `listener` gets the snapshots of the filter asked for last. */
export function connectRoster(base, listener) {
  return 'SharedWorker' in globalThis ? sharedRoster(base, listener) : ownRoster(base, listener);
}

function sharedRoster(base, listener) {
  const { port } = new SharedWorker(new URL('roster-worker.js', import.meta.url), {
    type: 'module',
    name: `roster of ${base}`,
  });
  port.onmessage = ({ data }) => listener(data);
  return {
    watch: (filter) => port.postMessage({ watch: { base, filter } }),
    retry: () => port.postMessage({ retry: true }),
    leave: () => port.postMessage({ leave: true }),
  };
}

function ownRoster(base, listener) {
  let roster = null;
  return {
    watch(filter) {
      roster?.close();
      roster = new Roster(base, filter, listener);
    },
    retry: () => roster?.retry(),
    leave: () => roster?.close(),
  };
}
