/**
 * A small client of Peerbroker's wire protocol: one channel with its sessions, and the watch.
 *
 *     const broker = new BrokerClient('/broker');
 *     broker.addEventListener('channel', async () => {
 *       const sid = await broker.createSession(); // not listed yet, so no list shows it before its id is known
 *       await broker.update(sid, { tags: ['chess'], list: true, metadata: { name: 'Ada' } });
 *     });
 *     broker.addEventListener('message', ({ detail: { origin, target, message } }) => …);
 *     broker.open();
 *
 * When the connection breaks, the broker keeps the channel and its sessions for half a minute, and messages wait. The client comes
 * back by itself; only where that took too long, or the broker was started anew, is it with a new channel, and it says so by
 * another `channel` event: a page that hosts sessions then hosts them again.
 */

/** For so long the broker is asked to wait for a client that comes back, and to believe in one that says nothing: seconds. */
const RESUME = 30;
const LEASE = 90; // a hidden page runs its timers once a minute
const PING_EVERY = 30_000;

/** A stream on which nothing has come for so many heartbeats is dead, whatever the browser says. */
const HEARTBEATS = 2.5;

/** After a farewell for one of these reasons a client comes back only when its user asks for it. */
const FINAL = ['closed', 'superseded', 'revoked'];

/** For so long an answer is waited for: milliseconds. */
const TIMEOUT = 10_000;

/** A refusal of the broker, or the lack of an answer (`status` 0). `code` is stable, `message` is for people. */
export class BrokerError extends Error {
  constructor(status, code, detail, retryAfterSeconds = 0) {
    super(detail);
    this.name = 'BrokerError';
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** One channel of a broker. Events: `state` (see {@link Stream}), `channel`, `message`. */
export class BrokerClient extends EventTarget {
  #base;
  #stream;
  #channel = null;
  #pings = 0;
  #creating = null; // {cid, answer}: a session that was asked for
  #gone = new AbortController(); // of the channel
  #lastSend = Promise.resolve();

  constructor(base) {
    super();
    this.#base = base;
    this.#stream = new Stream(`${base}/channel?resume=${RESUME}&lease=${LEASE}&heartbeat=event`, {
      state: (detail) => {
        if (detail.state === 'ended') this.#forget();
        this.#emit('state', detail);
      },
      channel: (channel) => {
        this.#forget();
        this.#channel = channel;
        this.#pings = setInterval(() => this.#ping(), PING_EVERY);
        this.#emit('channel', { cid: channel.cid });
      },
      message: (message) => this.#emit('message', message),
    });
  }

  /** Whether there is a channel; its connection may be broken. */
  get hasChannel() {
    return this.#channel !== null;
  }

  open() {
    this.#stream.open();
  }

  /** Tries at once instead of at the end of the current pause. */
  retry() {
    this.#stream.retry();
  }

  /** Ends the channel and its sessions. Works while the page is going away, too: `keepalive` outlives it. */
  close() {
    this.#stream.close();
    if (!this.#channel) return;
    const { cid, key } = this.#channel;
    this.#forget();
    post(`${this.#base}/channel/${cid}/close`, { key }, { keepalive: true }).catch(() => {
      // The broker finds out when no client comes back.
    });
  }

  /**
   * Hosts a session that is not listed, and answers its id; `update` lists it. So a page knows its own session before any list
   * shows it. What is not answered in time is not asked again, since the broker may have done it: the next call waits for the same
   * answer. And if a session does get lost on the way, no list shows it.
   */
  async createSession() {
    const { cid, key } = this.#credentials();
    if (this.#creating?.cid !== cid) {
      const answer = post(`${this.#base}/session`, { cid, key }, { signal: this.#gone.signal });
      const creating = { cid, answer };
      this.#creating = creating;
      answer.catch(() => {}).finally(() => {
        if (this.#creating === creating) this.#creating = null;
      });
    }
    const { sid } = await within(TIMEOUT, this.#creating.answer);
    if (this.#channel?.cid !== cid) throw noChannel();
    return sid;
  }

  /** Changes a session: `values` names any of tags, metadata and list. */
  async update(sid, values) {
    await post(`${this.#base}/session/${sid}/update`, { ...this.#credentials(), values });
  }

  /**
   * Sends a message to a channel or session, and answers with its delivery: sent, or queued for one whose connection is broken.
   * The broker keeps the order of sends that follow each other, so each one waits for
   * the answer to the one before.
   */
  send(origin, target, message) {
    const turn = this.#lastSend.then(() => {
      const { key } = this.#credentials();
      return post(`${this.#base}/send/${encodeURIComponent(target)}`, { origin, key, message });
    });
    this.#lastSend = turn.catch(() => {}); // its caller hears of the failure; the next one goes on
    return turn;
  }

  /** Reports that this page is still there, and which events need no longer be kept for it. */
  #ping() {
    const { cid, key } = this.#channel;
    const seen = this.#stream.lastEventId || undefined;
    post(`${this.#base}/channel/${cid}/ping`, { key, seen }).then(
      ({ stream }) => {
        // The broker has found out that nothing arrives here any longer.
        if (!stream && this.#channel?.cid === cid) this.#stream.reopen();
      },
      (failure) => {
        // The stream may not have noticed.
        if (failure.code === 'unknown_channel' && this.#channel?.cid === cid) this.#stream.open();
      },
    );
  }

  #forget() {
    clearInterval(this.#pings);
    this.#gone.abort();
    this.#gone = new AbortController();
    this.#channel = null;
  }

  #credentials() {
    if (!this.#channel) throw noChannel();
    return { cid: this.#channel.cid, key: this.#channel.key };
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * Watches the sessions that pass a filter. After each (re)connection the broker replays the list and ends it with `ready`; only
 * then is it known which of the sessions held before are gone.
 *
 * @param on `state` (see {@link Stream}), `added(sid, session)` also for a change, `removed(sid)`, `ready()`
 * @returns the stream, to be closed
 */
export function watchList(base, filter, on) {
  const held = new Set();
  let replayed = new Set();
  const stream = new Stream(`${listUrl(base, filter)}&heartbeat=event`, {
    state: (detail) => {
      if (detail.state === 'open') replayed = new Set();
      on.state(detail);
    },
    add: ({ sid, session }) => {
      held.add(sid);
      replayed.add(sid);
      on.added(sid, session);
    },
    remove: ({ sid }) => {
      held.delete(sid);
      on.removed(sid);
    },
    ready: () => {
      for (const sid of held) {
        if (!replayed.has(sid)) {
          held.delete(sid);
          on.removed(sid);
        }
      }
      on.ready();
    },
  });
  stream.open();
  return stream;
}

/** Asks once for the list's first row: explains why a filter is refused, or that there is no answer. Throws BrokerError. */
export async function probeList(base, filter) {
  await request(`${listUrl(base, filter)}&limit=1`, { headers: { Accept: 'application/json' } });
}

function listUrl(base, filter) {
  return `${base}/list?filter=${encodeURIComponent(filter)}`;
}

/**
 * An EventSource that doesn't give up. The browser's own comes back after a broken connection, but takes any answer other than
 * 200 (a proxy's 502, a full broker's 503) as final; this one tries again then too, later each time. Either way it goes on after
 * the last event that it was given, if events have ids.
 *
 * A connection can be dead without the browser's noticing: the device has changed its network, or something on the way holds back
 * what comes. So it watches the heartbeats, and opens another when they stay away.
 *
 * Tells `state`: connecting; slow (nothing heard for eight seconds); open; away (`refused` if there was an answer, but not a
 * stream; `reason` if there was a farewell); ended (the broker said not to come back).
 */
class Stream {
  #url;
  #on;
  #source = null;
  #timer = 0;
  #failures = 0;
  #farewell = null;
  #lastEventId = '';
  #heartbeatMillis = 0; // as the first event says; 0 until then
  #watchdog = 0;

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  open() {
    this.close();
    this.#on.state({ state: 'connecting' });
    this.#timer = setTimeout(() => this.#on.state({ state: 'slow' }), 8_000);
    // A new EventSource has no header for it; from its first event on it has, and the header wins.
    const after = this.#lastEventId && `&lastEventId=${encodeURIComponent(this.#lastEventId)}`;
    const source = new EventSource(this.#url + after);
    this.#source = source;
    source.addEventListener('open', () => {
      clearTimeout(this.#timer);
      this.#farewell = null;
      this.#heard();
      this.#on.state({ state: 'open' });
    });
    source.addEventListener('heartbeat', () => this.#heard());
    for (const [name, listener] of Object.entries(this.#on)) {
      if (name === 'state') continue;
      source.addEventListener(name, (event) => {
        this.#failures = 0;
        this.#lastEventId = event.lastEventId;
        const data = JSON.parse(event.data);
        if (data.heartbeat) this.#heartbeatMillis = data.heartbeat * 1_000;
        this.#heard();
        listener(data);
      });
    }
    source.addEventListener('close', (event) => {
      this.#farewell = JSON.parse(event.data).reason;
      if (FINAL.includes(this.#farewell)) {
        this.#lastEventId = ''; // there is nothing to go on with
        this.close();
        this.#on.state({ state: 'ended', reason: this.#farewell });
      }
    });
    source.addEventListener('error', () => this.#broken(source));
  }

  /** Of the last event; empty where events have no ids. */
  get lastEventId() {
    return this.#lastEventId;
  }

  /** Tries at once, also where the browser believes that the connection is open: it may be wrong. Nothing is missed by it. */
  retry() {
    this.open();
  }

  /** Opens another connection, unless that is under way. */
  reopen() {
    if (this.#source?.readyState === EventSource.OPEN) this.open();
  }

  #heard() {
    clearTimeout(this.#watchdog);
    if (!this.#heartbeatMillis) return;
    const source = this.#source;
    this.#watchdog = setTimeout(() => {
      // A page that was frozen finds its timers due before the events that wait for it: those come first.
      this.#watchdog = setTimeout(() => {
        if (this.#source === source) this.open();
      }, 500);
    }, HEARTBEATS * this.#heartbeatMillis);
  }

  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#source?.close();
    this.#source = null;
  }

  #broken(source) {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    const refused = source.readyState === EventSource.CLOSED;
    if (refused) {
      const pause = Math.min(30_000, 1_000 * 2 ** this.#failures++) * (0.75 + Math.random() / 2);
      this.#timer = setTimeout(() => this.open(), pause);
    }
    this.#on.state({ state: 'away', refused, reason: this.#farewell });
  }
}

function noChannel() {
  return new BrokerError(0, 'no_channel', 'There is no connection to the broker.');
}

function noAnswer() {
  return new BrokerError(0, 'no_answer', 'The broker did not answer within ten seconds. If this page is open in more than '
    + 'four tabs, close some: a browser opens six connections to one server.');
}

/** Gives up waiting for an answer, which may come all the same. */
function within(milliseconds, answer) {
  return new Promise((resolve, reject) => {
    AbortSignal.timeout(milliseconds).addEventListener('abort', () => reject(noAnswer()));
    answer.then(resolve, reject);
  });
}

function post(url, body, options = {}) {
  return request(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    ...options,
  });
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT), ...options });
  } catch (failure) {
    throw failure.name === 'TimeoutError' ? noAnswer() : new BrokerError(0, 'unreachable', 'The broker can’t be reached.');
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  throw new BrokerError(
    response.status,
    body.code ?? 'unknown',
    body.detail ?? `The broker answered with status ${response.status}.`,
    retryAfter,
  );
}
