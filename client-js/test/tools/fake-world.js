/**
 * A broker in memory, for what stands on it: as many clients as wanted, joined by queues that lose, delay and repeat as told.
 *
 *     const world = new FakeWorld();
 *     const ada = world.broker('ada'), bob = world.broker('bob');
 *     world.fault = (message) => ({ copies: 1, delay: 0 });
 */
export class FakeWorld {
  #count = 0;
  clients = new Map(); // address → client
  watches = new Set();
  sent = [];
  /** What happens to a message on its way: how often it arrives, and after how many milliseconds. */
  fault = () => ({ copies: 1, delay: 0 });
  /** Whether anything gets through. */
  isUp = true;

  broker(name) {
    return new FakeBroker(this, name);
  }

  address(name) {
    return `${name}-${++this.#count}`;
  }

  deliver(origin, target, message) {
    const json = JSON.stringify(message);
    this.sent.push({ origin, target, message: JSON.parse(json) });
    const { copies, delay } = this.fault(JSON.parse(json));
    for (let copy = 0; copy < copies; copy++) {
      const arrive = () => this.clients.get(target)?.take({ origin, target, message: JSON.parse(json) });
      if (delay) setTimeout(arrive, delay * (copy + 1));
      else queueMicrotask(arrive);
    }
  }

  changed() {
    for (const watch of this.watches) watch.changed();
  }

  /** All channels and sessions are gone, as after a new start of the broker. */
  restart() {
    this.clients.clear();
    this.changed();
  }
}

class FakeBroker extends EventTarget {
  #world;
  #name;
  #interceptors = [];
  #sessions = new Set();
  cid = null;
  servers = [];

  constructor(world, name) {
    super();
    this.#world = world;
    this.#name = name;
    this.reopen();
  }

  /** A new channel, and its sessions hosted again, as after a new start of the broker. */
  reopen() {
    const isFirst = this.cid === null;
    if (!isFirst) this.#world.clients.delete(this.cid);
    this.cid = this.#world.address(this.#name);
    this.#world.clients.set(this.cid, this);
    const sessions = Array.from(this.#sessions, (session) => {
      const was = session.sid;
      session.reopen();
      return { was, sid: session.sid };
    });
    const detail = { cid: this.cid, resumed: false, lost: !isFirst, sessions };
    if (!isFirst) this.dispatchEvent(new CustomEvent('channel', { detail }));
  }

  async ready() {
    return this.cid;
  }

  async iceServers() {
    return this.servers;
  }

  async host(spec) {
    const world = this.#world;
    const broker = this;
    const session = {
      spec: { ...spec },
      sid: null,
      reopen() {
        if (this.sid) world.clients.delete(this.sid);
        this.sid = world.address(`${broker.#name}-session`);
        world.clients.set(this.sid, broker);
      },
      async update(values) {
        Object.assign(this.spec, values);
        world.changed();
      },
      async close() {
        broker.#sessions.delete(this);
        world.clients.delete(this.sid);
        world.changed();
      },
    };
    session.reopen();
    this.#sessions.add(session);
    world.changed();
    return session;
  }

  get sessions() {
    return this.#sessions;
  }

  watch(filter) {
    const world = this.#world;
    const listeners = new Set();
    const watch = {
      owner: this,
      ready: Promise.resolve(),
      snapshot: [],
      changed: () => {
        const seen = new Set();
        watch.snapshot = [];
        for (const [sid, client] of world.clients) {
          for (const session of client.sessions) {
            if (session.sid !== sid || seen.has(sid) || !session.spec.listed || !session.spec.tags.includes(filter)) continue;
            seen.add(sid);
            const { tags, metadata } = session.spec;
            watch.snapshot.push({ sid, tags, metadata, ...(client === this ? { own: true } : {}) });
          }
        }
        for (const listener of listeners) listener();
      },
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      close: () => world.watches.delete(watch),
    };
    world.watches.add(watch);
    watch.changed();
    return watch;
  }

  async send(target, message, { origin = this.cid } = {}) {
    await null;
    const known = this.#world.clients;
    if (!this.#world.isUp) return new Promise(() => {});
    if (known.get(origin) !== this) throw Object.assign(new Error('No such origin.'), { code: 'unknown_channel' });
    if (!known.has(target)) throw Object.assign(new Error('No such target.'), { code: 'unknown_target' });
    this.#world.deliver(origin, target, message);
    return { delivery: 'sent' };
  }

  intercept(interceptor) {
    this.#interceptors.push(interceptor);
    return () => {
      this.#interceptors = this.#interceptors.filter((one) => one !== interceptor);
    };
  }

  take(incoming) {
    if (this.#interceptors.some((interceptor) => interceptor(incoming))) return;
    this.dispatchEvent(new CustomEvent('message', { detail: incoming }));
  }

  /** The channel ends. */
  close() {
    this.#world.clients.delete(this.cid);
    for (const { sid } of this.#sessions) this.#world.clients.delete(sid);
    this.#world.changed();
  }
}
