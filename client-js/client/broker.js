import { bounded, connection, fullJitter } from './connection.js';
import { abortable, BrokerError, gate, onAbort } from './error.js';
import { outbox } from './outbox.js';
import { below, requests } from './requests.js';
import { sharedList } from './watch.js';

export { BrokerError };

/** For so long a list that nobody watches is kept, since a page that renders anew watches it again: milliseconds. */
const LINGER = 1_000;

/** The most that `messages()` holds for a reader that does not keep up. */
const UNREAD = 1024;

const ignore = () => {};

/** One channel of a broker with its sessions, its messages and its lists. See broker.d.ts for the contract. */
export class Broker extends EventTarget {
  #options;
  #requests;
  #connection;
  #outbox;
  #hosted = new Set();
  #moved = new Map(); // an address of an earlier channel -> what it is now
  #lists = new Map(); // filter -> list
  #names = 0;
  #interceptors = new Set();
  #ice; // {iceServers, until: milliseconds, fresh: the promise of their successors}

  constructor(url, options = {}) {
    super();
    const at = below(url);
    this.#options = options;
    this.#requests = requests(at, options);
    this.#connection = connection(at, this.#requests, options, {
      state: (detail) => this.#emit('state', detail),
      channel: (earlier, isResumed) => this.#opened(earlier, isResumed),
      event: (type, detail) => this.#event(type, detail),
      leave: () => this.close({ keepalive: true }),
      end: (error) => {
        this.#hosted.clear();
        this.#moved.clear();
        this.#outbox.fail(error);
        for (const list of this.#lists.values()) list.fail(error);
        this.#lists.clear();
      },
    });
    this.#outbox = outbox({
      open: () => this.#connection.opened,
      post: this.#requests.post,
      lives: this.#connection.ping,
      pause: (attempt, seconds) => this.#pause(attempt, seconds),
      address: (origin) => {
        while (this.#moved.has(origin)) origin = this.#moved.get(origin);
        return origin;
      },
    });
    onAbort(options.signal, () => this.close());
  }

  get state() {
    return this.#connection.state;
  }

  get cid() {
    return this.#connection.channel?.cid ?? null;
  }

  open() {
    this.#connection.open();
  }

  async ready({ signal } = {}) {
    return (await abortable(this.#whenOpen(), signal)).cid;
  }

  async host(spec = {}, options) {
    this.#whenOpen();
    const close = async () => {
      session.isUnwanted = true;
      if (this.#hosted.delete(session)) await this.#change(session, 'close').catch(ignore);
    };
    const session = {
      spec,
      close,
      [Symbol.asyncDispose]: close,
      update: async (values, updating) => {
        await this.#change(session, 'update', { values: wire(values) }, updating);
        session.spec = { ...session.spec, ...values };
      },
    };
    await this.#create(session, options);
    return session;
  }

  async send(target, message, { origin, ...options } = {}) {
    this.#whenOpen();
    const json = JSON.stringify(message);
    if (!json) throw new TypeError('A message is JSON.');
    return this.#outbox.add({ target, origin, json }, options);
  }

  watch(filter = '', { signal } = {}) {
    this.#whenOpen();
    let list = this.#lists.get(filter);
    if (!list) {
      list = sharedList(this.#options.max ?? 10_000, (sid, session) => this.#session(sid, session));
      list.name = `${++this.#names}`;
      if (this.state === 'closed') this.#whenOpen().catch(list.fail);
      else this.#lists.set(filter, list);
      if (this.#connection.channel) this.#watch(filter, list); // also while it is away: it may resume
    }
    return list.view(() => setTimeout(() => {
      if (list.views.size || this.#lists.get(filter) !== list) return;
      this.#lists.delete(filter);
      // Otherwise it ends when the channel goes on, and it is told anew.
      if (this.state === 'open') this.#unwatch(list.name);
    }, LINGER), signal);
  }

  async *list(filter = '', { limit, signal } = {}) {
    let page = `?filter=${encodeURIComponent(filter)}${limit ? '&limit=' + limit : ''}`;
    while (page) {
      const [sessions, headers] = await abortable(this.#requests.get('/list' + page), signal);
      for (const { sid, session } of sessions) {
        const entry = this.#session(sid, session);
        if (entry) yield entry;
      }
      page = /<(.*)>; *rel="next/.exec(headers.get('Link'))?.[1];
    }
  }

  async *messages({ signal } = {}) {
    const unread = [];
    const reading = new AbortController();
    let change = gate();
    const listen = (type, listener) => this.addEventListener(type, (event) => change.resolve(listener(event)), { signal: reading.signal });
    listen('message', ({ detail }) => unread.length > UNREAD || unread.push(detail));
    listen('state', ignore);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (unread.length > UNREAD) throw new BrokerError('overflow', 'Too many messages are unread.');
        if (unread.length) {
          yield unread.shift();
        } else {
          if (this.state === 'closed') return;
          change = gate();
          await abortable(change.promise, signal);
        }
      }
    } finally {
      reading.abort();
    }
  }

  intercept(interceptor) {
    this.#interceptors.add(interceptor);
    return () => this.#interceptors.delete(interceptor);
  }

  async iceServers({ signal } = {}) {
    const channel = await abortable(this.#whenOpen(), signal);
    const ice = this.#ice;
    if (Date.now() < ice.until) return ice.iceServers;
    ice.fresh ??= this.#requests.act(channel, 'ice').then((answer) => this.#keepIce(answer), (error) => {
      if (Date.now() < ice.end) return ice.iceServers;
      throw error;
    }).finally(() => {
      ice.fresh = null;
    });
    return abortable(ice.fresh, signal);
  }

  async close({ keepalive } = {}) {
    const { channel } = this.#connection;
    this.#connection.end(new BrokerError('closed', 'The broker was closed: open() begins anew.'));
    // After the end, so never by a WebSocket: that one is no longer there for the answer.
    if (channel) await this.#requests.act(channel, 'close', {}, { keepalive }).catch(ignore);
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  /** Connects, unless that was done. */
  #whenOpen() {
    if (this.state === 'idle') this.open();
    return this.#connection.opened;
  }

  #opened(earlier, resumed) {
    const { channel } = this.#connection;
    const { cid } = channel;
    for (const list of this.#lists.values()) list.begin();
    let again = [];
    if (!resumed) {
      this.#keepIce(channel);
      if (earlier) this.#moved.set(earlier.cid, cid);
      again = [...this.#hosted].map((session) => this.#hostAgain(session));
      for (const [filter, list] of this.#lists) this.#watch(filter, list);
    }
    Promise.all(again).then((sessions) => {
      if (channel === this.#connection.channel) this.#emit('channel', { cid, resumed, lost: !!earlier, sessions });
    });
  }

  #event(type, detail) {
    if (type === 'message') return this.#received(detail);
    if (type === 'undelivered') return this.#emit(type, detail);
    for (const [filter, list] of this.#lists) {
      if (list.name !== detail.watch) continue;
      if (type !== 'unwatch') return list[type]?.(detail);
      list.begin();
      // Not at once: others have lost theirs at the same time, or the list changes faster than it can be told.
      return this.#pause(0).then(() => this.#watch(filter, list));
    }
    // Its end was not heard.
    if (type === 'ready') this.#unwatch(detail.watch);
  }

  #received({ origin, target, message }) {
    for (const interceptor of this.#interceptors) {
      try {
        if (interceptor({ origin, target, message }) === true) return;
      } catch (error) {
        // A fault of the application's code is seen as one, and is nobody else's.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    const checked = this.#checked('message', message, origin);
    if (!checked) return;
    [message] = checked;
    const reply = (answer, options) => this.send(origin, answer, { origin: target, ...options });
    this.#emit('message', { origin, target, message, reply });
  }

  #session(sid, { tags, metadata }) {
    const checked = this.#checked('metadata', metadata, sid);
    if (!checked) return;
    const session = { sid, tags, metadata: checked[0] };
    for (const own of this.#hosted) if (own.sid === sid) session.own = true;
    return session;
  }

  /** Returns an array of what the application makes of this, or nothing where it throws. */
  #checked(part, json, origin) {
    const check = this.#options.check?.[part];
    try {
      return [check ? check(json) : json];
    } catch (error) {
      this.#emit('malformed', { origin, error });
    }
  }

  #change(session, action, body, options) {
    return this.#outbox.add({ path: () => `/session/${session.sid}/${action}`, body: (cid) => ({ cid, ...body }) }, options);
  }

  async #create(session, options) {
    let host;
    const request = {
      path: () => '/session',
      body: (cid) => {
        host = cid;
        return { cid, ...wire(session.spec) };
      },
      done: ({ sid }) => {
        if (host !== this.cid) return;
        if (session.sid) this.#moved.set(session.sid, sid);
        session.sid = sid;
        this.#hosted.add(session);
        for (const list of this.#lists.values()) list.own(sid);
        if (session.isUnwanted) session.close();
      },
      isFirst: session.sid,
    };
    try {
      do await this.#outbox.add(request, options); while (host !== this.cid);
    } catch (error) {
      session.isUnwanted = true;
      throw error;
    }
  }

  async #hostAgain(session) {
    const was = session.sid;
    try {
      // While this is so, others may know the next address already: a room looks at it.
      session.moving ??= this.#create(session, { within: Infinity });
      await session.moving;
      return { was, sid: session.sid };
    } catch (error) {
      this.#hosted.delete(session);
      return { was, sid: null, error };
    } finally {
      session.moving = null;
    }
  }

  #watch(filter, list) {
    return this.#ask('watch', { filter, watch: list.name }, () => this.#lists.get(filter) === list).catch((error) => {
      if (error.code === 'unknown_channel') return;
      this.#lists.delete(filter);
      list.fail(error);
    });
  }

  #unwatch(watch) {
    this.#ask('unwatch', { watch }).catch(ignore);
  }

  /**
   * Asks for the begin or the end of a list until there is an answer, for as long as the channel lives. These have no numbers, or
   * messages would wait for a list that there is no room for. They need none: a name that was ended is not used again, so the end
   * of one list is never that of another; and a list that nobody wants, begun by a late copy, is ended when it says `ready`.
   */
  async #ask(action, body, isWanted = () => true) {
    const { channel } = this.#connection;
    for (let attempt = 0; channel === this.#connection.channel && isWanted(); attempt++) {
      try {
        return await this.#requests.act(channel, action, body);
      } catch (error) {
        if (!error.retryable) throw error;
        await this.#pause(attempt, error.retryAfter);
      }
    }
  }

  #keepIce({ iceServers = [], iceTtl = Infinity }) {
    const now = Date.now();
    // A connection that begins now needs them for a while.
    this.#ice = { iceServers, until: now + iceTtl * 750, end: now + iceTtl * 1_000 };
    return iceServers;
  }

  #pause(attempt, seconds = 0) {
    const { delay = fullJitter } = this.#options;
    return new Promise((resolve) => setTimeout(resolve, bounded(seconds * 1_000) + delay(attempt)));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The protocol's name for `listed` is `list`. */
const wire = ({ listed: list, ...values }) => ({ ...values, list });
