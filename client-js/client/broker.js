import { abortable, BrokerError, refusal } from './error.js';
import { pageLifecycle } from './lifecycle.js';
import { Outbox } from './outbox.js';
import { List, Roster } from './roster.js';
import { eventSourceStream, fetchStream } from './stream.js';

export { BrokerError };

/** A stream on which nothing has come for so many heartbeats is dead, whatever the browser says. */
const HEARTBEATS = 2.5;

/** Until the broker has stated its heartbeat, and for a stream to begin: seconds. */
const FIRST_HEARTBEAT = 8;

/** For so long an answer is waited for: milliseconds. */
const ANSWER_WITHIN = 10_000;

/** After a farewell for one of these reasons a client comes back only when its user asks for it. */
const FINAL = ['closed', 'revoked', 'superseded'];

/** For so long a list that nobody watches is kept, since a page that renders anew watches it again: milliseconds. */
const LINGER = 1_000;

/** The most that `messages()` holds for a reader that does not keep up. */
const UNREAD = 1024;

const ignore = () => {};

/** Full jitter, so that clients that were cut off together do not come back together: 0.5 to 20 seconds. */
const fullJitter = (attempt) => 500 + Math.random() * Math.min(19_500, 500 * 2 ** attempt);

/** One channel of a broker with its sessions, its messages and its lists. See broker.d.ts for the contract. */
export class Broker extends EventTarget {
  #url;
  #options;
  #state = 'idle';
  #isAsleep = false;
  #forget = ignore; // the page's life-cycle
  #headers; // as they were last

  #channel = null;
  #lastEventId = '';
  #gate = gate(); // resolved with the channel while its stream is open
  #isOpen = false;

  #attempt; // AbortController of the stream
  #failures = 0;
  #retry = 0; // as the broker said last: milliseconds
  #timer; // of the next attempt
  #watchdog;
  #heardAt = 0;
  #pings;

  #outbox;
  #hosted = new Set();
  #moved = new Map(); // an address of an earlier channel -> what it is now
  #lists = new Map(); // name -> List
  #names = 0;
  #interceptors = new Set();
  #ice; // the promise of the request under way

  constructor(url, options = {}) {
    super();
    this.#url = String(url).replace(/\/+$/, '');
    this.#options = options;
    this.#outbox = new Outbox({
      open: () => this.#gate.promise,
      post: (path, json) => this.#post(path, json),
      lives: (channel) => this.#ping(channel),
      pause: (attempt, seconds) => this.#pause(attempt, seconds),
      address: (origin) => {
        while (this.#moved.has(origin)) origin = this.#moved.get(origin);
        return origin;
      },
    });
    options.signal?.addEventListener('abort', () => this.close());
  }

  get state() {
    return this.#state;
  }

  get cid() {
    return this.#channel?.cid ?? null;
  }

  open() {
    if (this.#state === 'closed') {
      this.#gate = gate();
      this.#state = 'idle';
    }
    if (this.#state !== 'idle') return;
    const { lifecycle = pageLifecycle } = this.#options;
    this.#connect();
    this.#forget = lifecycle({ sleep: () => this.#sleep(), wake: () => this.#wake(), leave: () => this.close({ keepalive: true }) }) ?? ignore;
  }

  async ready({ signal } = {}) {
    const { cid } = await abortable(this.#opened(), signal);
    return cid;
  }

  async host(spec = {}, options) {
    this.#opened();
    const session = new HostedSession(spec, {
      update: async (values, updating) => {
        await this.#request(() => `/session/${session.sid}/update`, ({ cid }) => ({ cid, values: wire(values) }), updating);
      },
      close: async () => {
        if (this.#hosted.delete(session)) {
          await this.#request(() => `/session/${session.sid}/close`, ({ cid }) => ({ cid })).catch(ignore);
        }
      },
    });
    session.sid = await this.#create(session, options);
    this.#hosted.add(session);
    this.#mark(session.sid);
    return session;
  }

  async send(target, message, { origin, within, signal } = {}) {
    this.#opened();
    const json = JSON.stringify(message);
    if (!json) throw new TypeError('A message is JSON: not undefined, a function or a symbol.');
    return this.#outbox.add({ target, origin, json }, { within, signal });
  }

  watch(filter = '', { signal } = {}) {
    this.#opened();
    let list = [...this.#lists.values()].find((other) => other.filter === filter);
    if (!list) {
      list = new List(`${++this.#names}`, filter, {
        max: this.#options.max ?? 10_000,
        session: (sid, session) => this.#session(sid, session),
      });
      this.#lists.set(list.name, list);
      if (this.#state === 'closed') list.fail(closed());
      else if (this.#isOpen) this.#watch(list);
    }
    return new Roster(list, () => setTimeout(() => {
      if (!list.users && this.#lists.delete(list.name)) this.#unwatch(list.name);
    }, LINGER), signal);
  }

  async *list(filter = '', { limit, signal } = {}) {
    let page = `?filter=${encodeURIComponent(filter)}${limit ? `&limit=${limit}` : ''}`;
    while (page) {
      const response = await this.#fetch(`/list${page}`, { headers: { Accept: 'application/json' }, signal });
      for (const { sid, session } of await response.json()) {
        const entry = this.#session(sid, session);
        if (entry) yield entry;
      }
      page = /<([^>]*)>; *rel="?next/.exec(response.headers.get('Link'))?.[1];
    }
  }

  messages({ signal } = {}) {
    const unread = [];
    let overflow;
    let wake = ignore;
    const listening = new AbortController();
    this.addEventListener('message', ({ detail }) => {
      if (unread.length < UNREAD) unread.push(detail);
      else overflow = new BrokerError('overflow', `${UNREAD} messages have not been read: read faster.`);
      wake();
    }, { signal: listening.signal });
    this.addEventListener('state', () => wake(), { signal: listening.signal });
    const broker = this;
    return (async function* () {
      try {
        for (;;) {
          signal?.throwIfAborted();
          if (unread.length) yield unread.shift();
          else if (overflow) throw overflow;
          else if (broker.state === 'closed') return;
          else {
            await abortable(new Promise((resolve) => {
              wake = resolve;
            }), signal);
          }
        }
      } finally {
        listening.abort();
      }
    })();
  }

  intercept(interceptor) {
    this.#interceptors.add(interceptor);
    return () => this.#interceptors.delete(interceptor);
  }

  async iceServers({ signal } = {}) {
    const channel = await abortable(this.#opened(), signal);
    if (channel.iceServers && Date.now() > channel.iceUntil) {
      this.#ice ??= this.#post(`/channel/${channel.cid}/ice`, { key: channel.key })
        .then((fresh) => keepIce(channel, fresh))
        .finally(() => {
          this.#ice = null;
        });
      await abortable(this.#ice, signal);
    }
    return channel.iceServers ?? [];
  }

  async close({ keepalive = false } = {}) {
    const channel = this.#channel;
    this.#end(closed());
    if (channel) {
      await this.#post(`/channel/${channel.cid}/close`, { key: channel.key }, { keepalive }).catch(ignore);
    }
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.close();
  }

  // The stream

  #connect() {
    this.#drop();
    const attempt = new AbortController();
    this.#attempt = attempt;
    if (!this.#channel) this.#become('connecting');
    this.#listen();
    this.#stream(attempt.signal)
      .then(() => new BrokerError('unreachable', 'The stream of events has ended.'), (error) => error)
      .then((error) => {
        if (!attempt.signal.aborted) this.#broken(error);
      });
  }

  async #stream(signal) {
    const { resume = 60, lease = 90, transport, fetch, EventSource, credentials } = this.#options;
    const read = transport === 'eventsource' ? eventSourceStream : transport?.call ? transport : fetchStream;
    const after = this.#lastEventId && `&lastEventId=${encodeURIComponent(this.#lastEventId)}`;
    let isSettled = false;
    const settle = (channel) => {
      if (isSettled) return;
      isSettled = true;
      for (const list of this.#lists.values()) list.begin();
      if (channel || this.#channel) this.#settled(channel);
    };
    await read(`${this.#url}/channel?resume=${resume}&lease=${lease}${after}`, {
      fetch, EventSource, credentials, signal, headers: await this.#freshHeaders(),
    }, {
      heard: () => signal.aborted || this.#listen(),
      retry: (milliseconds) => {
        this.#retry = milliseconds;
      },
      // Only a channel that is continued (R4) begins with something else.
      comment: () => signal.aborted || settle(),
      event: (type, data, id) => {
        if (signal.aborted) return;
        const detail = JSON.parse(data);
        if (type === 'close') {
          if (FINAL.includes(detail.reason)) this.#end(new BrokerError(detail.reason, `The channel has ended: ${detail.reason}.`));
          return;
        }
        if (id) this.#lastEventId = id;
        settle(type === 'channel' && detail);
        this.#event(type, detail);
      },
    });
  }

  /** Something was heard: the stream lives for another while. */
  #listen() {
    this.#heardAt = Date.now();
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      // A page that was frozen finds its timers due before the events that wait for it: those come first.
      this.#watchdog = setTimeout(() => this.#broken(new BrokerError('unreachable', 'The stream of events is silent.')), 500);
    }, HEARTBEATS * this.#heartbeat);
  }

  get #heartbeat() {
    return ((this.#isOpen && this.#channel.heartbeat) || FIRST_HEARTBEAT) * 1_000;
  }

  #settled(fresh) {
    const earlier = this.#channel;
    this.#failures = 0;
    this.#isOpen = true;
    if (fresh) {
      this.#channel = keepIce({ ...fresh, seq: 0 }, fresh);
      if (earlier) this.#moved.set(earlier.cid, fresh.cid);
    }
    const channel = this.#channel;
    const { cid } = channel;
    this.#listen();
    const again = fresh ? [...this.#hosted].map((session) => this.#hostAgain(session)) : [];
    this.#gate.resolve(channel);
    this.#pings = setInterval(() => this.#ping(channel), (channel.lease || 90) * 333);
    this.#become('open');
    if (fresh) for (const list of this.#lists.values()) this.#watch(list);
    Promise.all(again).then((sessions) => {
      if (channel === this.#channel) this.#emit('channel', { cid, resumed: !fresh, lost: !!(fresh && earlier), sessions });
    });
  }

  #event(type, detail) {
    if (type === 'message') return this.#received(detail);
    if (type === 'undelivered') return this.#emit(type, detail);
    const { watch } = detail;
    const list = this.#lists.get(watch);
    if (type === 'ready' && !list) this.#unwatch(watch); // its end was not heard
    if (!list) return;
    if (type === 'add') list.add(detail);
    if (type === 'remove') list.remove(detail);
    if (type === 'ready') list.told();
    if (type === 'unwatch') {
      list.begin();
      this.#watch(list);
    }
  }

  #broken(error) {
    const { delay = fullJitter } = this.#options;
    const isAnswer = error.status && (error.code !== 'unreachable' || (error.status < 500 && !this.#channel));
    this.#drop();
    // Whether it is a refusal that stays: with a channel, what is not the broker's answer may pass by.
    if (isAnswer && !error.retryable) return this.#end(error);
    if (isAnswer && error.code === 'unreachable') return this.#end(error);
    const hint = Math.min((error.retryAfter * 1_000 || this.#retry) ?? 0, 300_000);
    const retryIn = hint + delay(this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), retryIn);
    this.#become(this.#channel ? 'away' : 'connecting', { retryIn, error });
  }

  /** Lets go of the stream. */
  #drop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    clearInterval(this.#pings);
    this.#timer = null;
    this.#attempt?.abort();
    if (this.#isOpen) this.#gate = gate();
    this.#isOpen = false;
  }

  #sleep() {
    this.#isAsleep = true;
    this.#drop();
    this.#become(this.#channel ? 'away' : 'connecting');
  }

  /** Tries at once, unless a stream is alive or on its way. */
  #wake() {
    const isSilent = this.#isOpen && Date.now() - this.#heardAt > 1.5 * this.#heartbeat;
    if (!this.#isAsleep && !this.#timer && !isSilent) return;
    this.#isAsleep = false;
    this.#failures = 0;
    this.#connect();
  }

  #end(error) {
    if (this.#state === 'closed') return;
    this.#drop();
    this.#forget();
    this.#forget = ignore;
    this.#isAsleep = false;
    this.#channel = null;
    this.#lastEventId = '';
    this.#failures = this.#retry = 0;
    this.#gate.reject(error);
    this.#outbox.fail(error);
    this.#hosted.clear();
    this.#moved.clear();
    const lists = [...this.#lists.values()];
    this.#lists.clear();
    for (const list of lists) list.fail(error);
    this.#become('closed', { error });
  }

  #become(state, { retryIn = 0, error } = {}) {
    if (state === this.#state && !error) return;
    this.#state = state;
    this.#emit('state', { state, attempt: this.#failures, retryIn, error });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Connects, unless that was done, and returns the promise of the open channel. */
  #opened() {
    if (this.#state === 'idle') this.open();
    return this.#gate.promise;
  }

  // Messages, sessions, lists

  #received({ origin, target, message }) {
    try {
      for (const interceptor of this.#interceptors) if (interceptor({ origin, target, message })) return;
      const checked = this.#options.check?.message?.(message);
      const reply = (answer, options) => this.send(origin, answer, { origin: target, ...options });
      this.#emit('message', { origin, target, message: this.#options.check?.message ? checked : message, reply });
    } catch (error) {
      this.#emit('malformed', { origin, error });
    }
  }

  #session(sid, { tags, metadata }) {
    try {
      const check = this.#options.check?.metadata;
      const entry = { sid, tags, metadata: check ? check(metadata) : metadata };
      return [...this.#hosted].some((session) => session.sid === sid) ? { ...entry, own: true } : entry;
    } catch (error) {
      this.#emit('malformed', { origin: sid, error });
    }
  }

  #mark(sid) {
    for (const list of this.#lists.values()) {
      const entry = list.entries.get(sid);
      if (entry) list.put(sid, { ...entry, own: true });
    }
  }

  #request(path, body, options) {
    return this.#outbox.add({ path, body }, options);
  }

  async #create(session, options) {
    for (;;) {
      const { sid, channel } = await this.#outbox.add({
        path: () => '/session',
        body: ({ cid }) => ({ cid, ...wire(session.spec) }),
        isUrgent: this.#hosted.has(session),
      }, options);
      if (channel === this.#channel) return sid;
    }
  }

  async #hostAgain(session) {
    const was = session.sid;
    try {
      session.moving ??= this.#create(session);
      const sid = await session.moving;
      this.#moved.set(was, sid);
      session.sid = sid;
      this.#mark(sid);
      return { was, sid };
    } catch (error) {
      this.#hosted.delete(session);
      return { was, sid: null, error };
    } finally {
      session.moving = null;
    }
  }

  async #watch(list) {
    const channel = this.#channel;
    for (let attempt = 0; this.#isOpen && channel === this.#channel && this.#lists.has(list.name); attempt++) {
      try {
        const { name, filter } = list;
        await this.#post(`/channel/${channel.cid}/watch`, { key: channel.key, filter, watch: name });
        return;
      } catch (error) {
        if (error.code === 'unknown_channel') return;
        if (!error.retryable) {
          this.#lists.delete(list.name);
          return list.fail(error);
        }
        await this.#pause(attempt, error.retryAfter);
      }
    }
  }

  #unwatch(watch) {
    const channel = this.#channel;
    if (channel) this.#post(`/channel/${channel.cid}/unwatch`, { key: channel.key, watch }).catch(ignore);
  }

  // Requests

  /** Reports that this client is there and how far it has come. Resolves with whether the broker knows the channel. */
  async #ping(channel) {
    try {
      const { stream } = await this.#post(`/channel/${channel.cid}/ping`, { key: channel.key, seen: this.#lastEventId || undefined });
      // The broker has found out that nothing arrives here any longer.
      if (!stream && this.#isOpen && channel === this.#channel) this.#connect();
      return true;
    } catch ({ code }) {
      // The stream may not have noticed.
      if (code === 'unknown_channel' && this.#isOpen && channel === this.#channel) this.#connect();
      return false;
    }
  }

  async #freshHeaders() {
    const { headers } = this.#options;
    this.#headers = await (headers?.call ? headers() : headers);
    return this.#headers;
  }

  async #post(path, body, { keepalive } = {}) {
    const response = await this.#fetch(path, {
      method: 'POST',
      keepalive,
      // The broker takes these as text, which needs no preflight: a page that goes away has no time for one.
      headers: { 'Content-Type': /(ping|close)$/.test(path) && body.key ? 'text/plain' : 'application/json' },
      body: body.key ? JSON.stringify(body) : body,
    });
    return response.json();
  }

  /** Resolves with a success; rejects with a BrokerError, or the reason of `init.signal`. */
  async #fetch(path, { signal, headers, ...init }) {
    const { fetch = globalThis.fetch, credentials } = this.#options;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), ANSWER_WITHIN);
    const cancel = () => timeout.abort();
    signal?.addEventListener('abort', cancel);
    try {
      signal?.throwIfAborted();
      // What goes away with its page can't wait for a token.
      const all = new Headers(init.keepalive ? this.#headers : await this.#freshHeaders());
      for (const name in headers) all.set(name, headers[name]);
      const response = await fetch(this.#url + path, { ...init, headers: all, credentials, signal: timeout.signal });
      if (!response.ok) throw await refusal(response);
      return response;
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof BrokerError) throw cause;
      throw new BrokerError('unreachable', 'The broker did not answer.', { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  #pause(attempt, seconds = 0) {
    const { delay = fullJitter } = this.#options;
    return new Promise((resolve) => setTimeout(resolve, seconds * 1_000 + delay(attempt)));
  }
}

/** A session of this client, hosted again by itself on a new channel. */
class HostedSession {
  sid = '';
  moving = null;
  #actions;

  constructor(spec, actions) {
    this.spec = spec;
    this.#actions = actions;
  }

  async update(values, options) {
    await this.#actions.update(values, options);
    this.spec = { ...this.spec, ...values };
  }

  close() {
    return this.#actions.close();
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.close();
  }
}

/** The protocol's name for `listed` is `list`. */
function wire({ listed: list, ...values }) {
  return { ...values, list };
}

function keepIce(channel, { iceServers, iceTtl = Infinity }) {
  channel.iceServers = iceServers;
  // A connection that begins now needs them for a while.
  channel.iceUntil = Date.now() + iceTtl * 750;
  return channel;
}

function closed() {
  return new BrokerError('closed', 'This broker was closed: open() begins anew.');
}

/** A promise with its ends. */
function gate() {
  const ends = {};
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  ends.promise.catch(ignore);
  return ends;
}
