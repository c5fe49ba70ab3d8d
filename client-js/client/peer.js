import { abortable, gate, onAbort } from './error.js';
import { Identity } from './fingerprint.js';
import { identity } from './identity.js';
import { Negotiation } from './negotiation.js';
import { PeerError } from './peererror.js';
import { Pulse } from './pulse.js';
import { routeOf } from './route.js';
import { isSignal, parse } from './signal.js';
import { switchboardOf } from './switchboard.js';

export { PeerError };

/** How long the other side may take to accept a call, and the two sides to find a path, in milliseconds. */
const ANSWER_WITHIN = 15_000;
const CONNECT_WITHIN = 20_000;

/** After so long without a path another is looked for, in milliseconds: the polite side leaves this to the other at first. */
const PATIENCE = 3_000;
const POLITE_PATIENCE = 7_000;

/** An attempt to find another path has so long, times the number of the attempt, in milliseconds. */
const RETRY = 10_000;

/** After so many attempts on the same connection there is one with a fresh connection, the last. */
const RESTARTS = 2;

/** The other side may begin a fresh connection so often, in milliseconds. */
const FRESH_EVERY = 5_000;

/** How long fresh ICE servers are waited for, in milliseconds: the last known may do. */
const ICE_SERVERS_WITHIN = 2_000;

/** `send` resolves once no more bytes than this wait to be sent. */
const BUFFERED = 256 * 1_024;

/** The largest message where the stack does not say, in bytes (RFC 8841). */
const MESSAGE_SIZE = 65_536;

/** The most messages that wait for a reader, and the most bytes. */
const MOST_UNREAD = 10_000;
const MOST_UNREAD_BYTES = 16 * 1_024 * 1_024;

/** Ids of the data channels that both sides open by themselves. Those that an application opens begin with 0 and 1. */
const CONTROL_ID = 254;
const DATA_ID = 252;

/**
 * A connection to one other client, from the call to the end, whatever happens to the network and to the broker: it looks for
 * another path by itself, on a fresh RTCPeerConnection where necessary, and negotiates over itself once it is open.
 */
export class Peer extends EventTarget {
  #broker;
  #switchboard;
  #unregister;
  #options;
  #id; // of the conversation; null where the other side speaks the seed's words
  #origin;
  #target;
  #isCaller;
  #round = 0; // the number of the RTCPeerConnection within the conversation
  #connection = null;
  #retired = null; // the connection before, until the fresh one is open: its end would look like a farewell
  #negotiation = null;
  #pulse = null;
  #control = null;
  #data = null;
  #proven; // after this, what comes over the present connection is heard
  #servers = [];
  #streams; // of the tracks, by their senders
  #state;
  #started = false;
  #isOpened = false;
  #other = new Identity();
  #route = null;
  #news = {}; // what is said over the connection itself as soon as it is open
  #attempts = 0;
  #begun = 0; // when the other side began its last fresh connection
  #recovery = 0;
  #deadline = 0;
  #error = null;
  #gone = new AbortController();
  #sends = Promise.resolve();
  #changed = gate();
  #open = gate();
  #close = gate();
  #politeness = null;

  /**
   * Calls a channel or session.
   *
   * When both sides call each other at the same time, from and to the same two addresses, the two calls become one.
   */
  static call(broker, target, options = {}) {
    return new Peer(broker, { id: randomId(), target, isCaller: true }, options);
  }

  /**
   * Answers calls: `listener` is called once for each. One that returns `false` leaves it to the listener before.
   *
   * @returns a function that ends it; calls that were accepted go on
   */
  static answer(broker, listener, options = {}) {
    return switchboardOf(broker).answer(listener, (caller, accepting) => new Peer(broker, caller, { ...options, ...accepting }));
  }

  /** For `call` and `answer`. */
  constructor(broker, { id, key = id, target, origin, isCaller = false, offer, candidates }, options) {
    super();
    this.#broker = broker;
    this.#switchboard = switchboardOf(broker);
    this.#options = options;
    this.#id = id;
    this.#target = target;
    this.#origin = options.origin?.sid ?? options.origin ?? origin ?? broker.cid;
    this.#isCaller = isCaller;
    this.#state = isCaller ? 'calling' : 'connecting';
    if (offer?.channel === false) this.#options = { ...options, channel: false };
    this.opened = this.#open.promise;
    this.closed = this.#close.promise;
    const { tracks = [] } = options;
    const streams = tracks.getTracks ? [tracks] : [];
    this.#connect(Array.from(tracks.getTracks?.() ?? tracks, (track) => [track, streams]));
    this.#register(key);
    if (isCaller) this.#expect(options.answerWithin ?? ANSWER_WITHIN, 'no_answer', 'The other side did not answer.');
    else this.#expectPath();
    this.#listen();
    this.#start(offer, candidates);
  }

  /** The RTCPeerConnection: add tracks and channels as ever. Another one after the event `connection`. */
  get connection() {
    return this.#connection;
  }

  /** calling, connecting, connected, wavering (the path is lost, another is looked for), closed. */
  get state() {
    return this.#state;
  }

  /** The address of the other side. */
  get target() {
    return this.#target;
  }

  /** The fingerprint of the certificate that the other side has proved to own at first: `sha-256 AB:CD:…`; null until then. */
  get fingerprint() {
    return this.#other.fingerprint;
  }

  /** direct or relay; null until it is known. */
  get route() {
    return this.#route;
  }

  /** Adds a track now or later, and to every connection to come. */
  addTrack(track, ...streams) {
    const sender = this.#connection.addTrack(track, ...streams);
    this.#streams.set(sender, streams);
    return sender;
  }

  /**
   * Sends over the data channel; one after the other, and none before it is open. Resolves when there is room for more.
   */
  async send(data, { signal } = {}) {
    if (this.#id !== null && this.#options.channel === false) {
      throw new PeerError('no_channel', 'This call has no data channel: `channel` was false.');
    }
    const size = typeof data === 'string' ? new TextEncoder().encode(data).length : data?.arrayBuffer ? data.size : data?.byteLength;
    if (size === undefined) throw new TypeError('Send a string, Blob, ArrayBuffer or view of one.');
    const sent = this.#sends.then(async () => {
      await this.#until(() => this.#isOpened && this.#state !== 'closed' && this.#data?.readyState === 'open', signal);
      const most = this.#connection.sctp?.maxMessageSize ?? MESSAGE_SIZE;
      if (size > most) throw new PeerError('too_large', `The message has ${size} bytes; the other side takes at most ${most}.`);
      this.#data.send(data);
      await this.#until(() => this.#data.bufferedAmount <= BUFFERED, signal);
    });
    this.#sends = sent.catch(() => {}); // its caller hears of it; the next one goes on
    return sent;
  }

  /** What the other side sends, from now on. The peer closes when too much is left unread. */
  async *messages({ signal } = {}) {
    const unread = [];
    let bytes = 0;
    const stop = new AbortController();
    this.addEventListener('message', ({ detail }) => {
      bytes += sizeOf(detail);
      if (unread.push(detail) > MOST_UNREAD || bytes > MOST_UNREAD_BYTES) this.#overflow();
      this.#wake();
    }, { signal: stop.signal });
    try {
      for (;;) {
        while (unread.length) {
          bytes -= sizeOf(unread[0]);
          yield unread.shift();
        }
        if (this.#state === 'closed') return;
        await this.#until(() => unread.length || this.#state === 'closed', signal);
      }
    } finally {
      stop.abort();
    }
  }

  /** Looks for another path at once, as it does by itself when the network has changed. */
  async restart() {
    await this.#refresh();
    if (this.#state !== 'closed') this.#negotiation.offer(true);
  }

  /** Hangs up. */
  async close(reason = 'left') {
    this.#end('closed', 'This side has closed the connection.', { bye: reason });
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }

  get #isPolite() {
    return (this.#politeness ??= this.#origin < this.#target);
  }

  async #start(offer, candidates) {
    try {
      this.#origin ??= await this.#broker.ready({ signal: this.#gone.signal });
      if (this.#origin === this.#target) {
        return this.#end('own_address', 'An address cannot call itself.', { isSilent: true });
      }
      void this.#isPolite; // as it is now: addresses change
      await this.#refresh();
      if (this.#state === 'closed') return;
      if (this.#isCaller) {
        const ringing = this.#switchboard.takeRinging(this.#target, this.#origin);
        if (ringing) {
          ({ offer, candidates } = ringing);
          this.#join(offer.pc);
        } else {
          await this.#switchboard.accepted(this.#target, this.#origin);
        }
      }
      this.#started = true;
      if (this.#isCaller) this.#negotiation.offer();
      if (!offer) return;
      this.#negotiate(offer);
      this.#negotiation.receive({ candidates });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param key under which the switchboard knows it */
  #register(key) {
    this.#unregister = this.#switchboard.connect({
      key,
      // Where two sessions of the same client call each other, there are two with this key.
      isFrom: (from) => from !== this.#origin,
      receive: (signal, from) => this.#receive(signal, from),
      crosses: (signal, from, to) => {
        const isCrossing = this.#state === 'calling' && signal.pc && this.#target === from && this.#origin === to;
        if (isCrossing && this.#isPolite) {
          this.#tell({ bye: 'crossed' });
          // Not by a rollback: Chromium finds no candidates after one that comes early, and other stacks have none.
          if (this.#connectAfresh()) {
            this.#join(signal.pc);
            this.#negotiate(signal);
          }
        }
        return isCrossing;
      },
      /** The other side takes what it hears while it calls for a call that crosses its own: it first hears that its own was accepted. */
      accepted: (from, to) => !this.#isCaller && this.#target === from && this.#origin === to && this.opened.catch(() => {}),
    });
  }

  /** Both sides have called at the same time: goes over to the other one's call. */
  #join(id) {
    this.#unregister();
    this.#id = id;
    this.#register(id);
    this.#isCaller = false;
    this.#become('connecting');
    this.#expectPath();
  }

  /** Returns whether there is a fresh connection now; without one there is no peer. */
  #connectAfresh() {
    try {
      this.#connect();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Makes the connection with these tracks and their streams, or a fresh one with those of the old one. */
  #connect(tracks) {
    const { RTCPeerConnection = globalThis.RTCPeerConnection, channel = {} } = this.#options;
    if (!RTCPeerConnection) {
      throw new PeerError('unsupported', 'There is no RTCPeerConnection here: pass one in the option of this name.');
    }
    const old = this.#connection;
    const connection = new RTCPeerConnection(this.#configuration());
    this.#connection = connection;
    this.#other.begin();
    this.#negotiation?.close();
    this.#pulse?.stop();
    const round = this.#round || undefined;
    const isCurrent = () => connection === this.#connection;
    this.#negotiation = new Negotiation(connection, {
      isPolite: () => this.#isPolite,
      // One that is closed may still be about to make its offer.
      send: (message, isAgain) => isCurrent() && this.#tell({ round, ...message }, isAgain),
      failed: (error) => {
        if (!isCurrent()) return;
        if (!this.#isOpened || this.#attempts > RESTARTS) this.#fail(error);
        else this.#recover(true);
      },
      searched: () => {
        if (!this.#control) return; // a peer of the seed may have nothing to say
        this.#introduce({ probe: true });
        this.#pulse.watch(this.#isPolite);
      },
    });
    this.#pulse = new Pulse(connection, () => this.#recover(true));
    const on = (target, type, listener) => target.addEventListener(type, (event) => {
      if (isCurrent()) listener(event);
    });
    on(connection, 'negotiationneeded', () => {
      if (this.#started) this.#negotiation.offer();
    });
    on(connection, 'connectionstatechange', () => this.#pathChanged());
    // Nothing is heard before it is proven who says it.
    let bytes = 0;
    const proven = (this.#proven = gate());
    const hear = (type, detail) => {
      const size = sizeOf(detail);
      bytes += size;
      if (bytes > MOST_UNREAD_BYTES) return this.#overflow();
      proven.promise.then(() => {
        bytes -= size;
        this.#emit(type, detail);
      });
    };
    on(connection, 'track', (event) => hear('track', event));
    on(connection, 'datachannel', ({ channel: opened }) => {
      if (this.#id === null && !this.#data) this.#adopt(opened, on, hear);
      // Not later, or what comes over it is lost. Whose it is DTLS knows, by the description.
      else this.#emit('datachannel', opened);
    });
    this.#control = this.#data = null;
    if (this.#id !== null) {
      this.#control = connection.createDataChannel('peerbroker', { negotiated: true, id: CONTROL_ID });
      on(this.#control, 'open', () => this.#check());
      on(this.#control, 'close', () => this.#left());
      on(this.#control, 'message', ({ data }) => {
        this.#pulse.stop();
        const signal = parse(data);
        if (signal?.pc === this.#id && isSignal(signal)) this.#receive(signal);
      });
      if (channel) {
        const { label = 'data', ...init } = channel;
        this.#adopt(connection.createDataChannel(label, { ...init, negotiated: true, id: DATA_ID }), on, hear);
      }
    }
    tracks ??= old.getSenders().map((sender) => [sender.track, this.#streams.get(sender) ?? []]);
    this.#streams = new Map();
    for (const [track, streams] of tracks) if (track) this.addTrack(track, ...streams);
    if (!old) return;
    if (this.#retired) old.close();
    else this.#retired = old;
    // Also where this side has noticed nothing: what it sends waits for the fresh one.
    if (this.#isOpened) this.#become('wavering');
    this.#emit('connection', connection);
  }

  #adopt(channel, on, hear) {
    this.#data = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = BUFFERED;
    on(channel, 'open', () => {
      this.#check();
      this.#wake(); // a seed's channel may come after the path
    });
    on(channel, 'close', () => this.#left());
    on(channel, 'bufferedamountlow', () => this.#wake());
    on(channel, 'message', ({ data }) => hear('message', data));
  }

  #overflow() {
    this.#end('overflow', `Too much was left unread: ${MOST_UNREAD} messages, or 16 MiB.`);
  }

  /** Follows the broker, the network, and the page. */
  #listen() {
    const { signal } = this.#gone;
    const on = (target, type, listener) => target?.addEventListener?.(type, listener, { signal });
    const cid = this.#broker.cid;
    on(this.#broker, 'channel', ({ detail }) => {
      if (!cid && !this.#started) return;
      if (detail.resumed || detail.cid === this.#origin) return;
      // The session that this side called from was perhaps hosted again.
      this.#origin = detail.sessions?.find(({ was }) => was === this.#origin)?.sid ?? detail.cid;
      this.#introduce({ address: this.#origin });
    });
    const network = globalThis.navigator?.connection;
    let type = network?.type;
    const changed = () => {
      if (this.#isOpened) this.restart();
    };
    on(globalThis, 'online', changed);
    on(network, 'change', () => {
      if (network.type === type) return; // it was only faster or slower
      ({ type } = network);
      changed();
    });
    on(globalThis, 'pagehide', ({ persisted }) => {
      if (!persisted) this.close();
    });
    const stop = onAbort(this.#options.signal, () => this.close());
    onAbort(signal, stop);
  }

  #configuration() {
    const { rtc } = this.#options;
    return { ...rtc, iceServers: [...this.#servers, ...(rtc?.iceServers ?? [])] };
  }

  /** Credentials of relays run out: each search for a path has fresh ones. */
  async #refresh() {
    try {
      this.#servers = await this.#broker.iceServers({ signal: AbortSignal.timeout(ICE_SERVERS_WITHIN) });
    } catch {
      return;
    }
    if (!this.#servers.length || this.#state === 'closed') return;
    try {
      this.#connection.setConfiguration(this.#configuration());
    } catch {
      if (!this.#started) this.#connect(); // a stack that takes them only at the beginning
    }
  }

  /** Over itself where that works, so that a connection outlives its broker; otherwise over the broker. */
  #tell(message, isAgain) {
    if (this.#id === null) {
      const { description, candidates = [] } = message;
      if (description) this.#post({ [description.type]: description.sdp });
      for (const candidate of candidates) if (candidate.candidate) this.#post({ candidate });
      return;
    }
    const { call, channel, answerWithin = ANSWER_WITHIN } = this.#options;
    const isFirst = this.#state === 'calling' && message.description;
    const first = isFirst ? { call, channel: channel === false ? false : undefined, answerWithin } : {};
    const signal = { pc: this.#id, ...first, ...message };
    if (this.#isInBand) this.#control.send(JSON.stringify(signal));
    // After two searches close together Firefox can have a path over which nothing comes, and ICE does not notice.
    if (isAgain || !this.#isInBand) this.#post(signal);
  }

  get #isInBand() {
    return this.#control?.readyState === 'open' && this.#connection.connectionState === 'connected';
  }

  #post(message) {
    this.#broker.send(this.#target, message, { origin: this.#origin }).catch((error) => {
      if (!this.#isOpened) this.#fail(error);
    });
  }

  /** Says over the connection itself what the broker must not say in this side's name: now, or as soon as it is open. */
  #introduce(more) {
    const news = Object.assign(this.#news, more);
    if (!this.#isInBand) return;
    this.#news = {};
    this.#tell(news); // though it is empty, it is a sign of life
  }

  /** Chooses the certificate of the fresh connections to come, by which the other side knows this one again. */
  async #chooseNext() {
    const { rtc } = this.#options;
    if (rtc?.certificates || this.#id === null) return;
    const { certificates, fingerprint } = await identity(this.#options);
    this.#options = { ...this.#options, rtc: { ...rtc, certificates } };
    this.#introduce({ next: fingerprint });
  }

  /** @param origin whence it came; none where it came over the connection itself */
  async #receive(signal, origin) {
    const { round = 0, description, bye, why, address, next } = signal;
    if (bye) {
      const isDeclined = bye === 'declined' || bye === 'busy';
      this.#end(isDeclined ? 'declined' : 'left', (why ?? `The other side says: ${bye}`).slice(0, 200), { isSilent: true });
      return;
    }
    if (!origin && next) this.#other.expect(next);
    // The broker vouches for an origin, and the connection for what comes over it. An address is only where signals are sent: what
    // the other side could have them learn by that, it knows itself.
    if (this.#id !== null) this.#target = origin ?? address ?? this.#target;
    if (round < this.#round) return;
    if (round > this.#round) {
      if (description?.type !== 'offer' || round > this.#round + 1) return;
      // A fresh connection that has not been open yet has its time, as has one that was.
      if (this.#attempts > RESTARTS || Date.now() < this.#begun + FRESH_EVERY) return;
      if (!this.#isSame(this.#other.admits(description, true))) return;
      this.#begun = Date.now();
      this.#round = round;
      this.#attempts = RESTARTS + 1;
      if (!this.#connectAfresh()) return;
      await this.#refresh();
    }
    if (this.#state === 'closed') return;
    if (this.#state === 'calling' && description?.type === 'answer') {
      this.#become('connecting');
      this.#expectPath();
    }
    if (description && this.#state === 'wavering') this.#recoverAfter(RETRY * Math.max(1, this.#attempts));
    this.#negotiate(signal);
  }

  #negotiate(signal) {
    const { description } = signal;
    if (!description || this.#isSame(this.#other.admits(description))) this.#negotiation.receive(signal);
  }

  /** The peer ends unless the other side is still the same. */
  #isSame(isSame) {
    if (!isSame) this.#end('other_identity', 'The other side has another certificate now.');
    return isSame;
  }

  #pathChanged() {
    const { connectionState } = this.#connection;
    if (connectionState === 'connected') {
      clearTimeout(this.#recovery);
      this.#check();
    } else if (connectionState === 'disconnected' || connectionState === 'failed') {
      if (this.#isOpened) this.#become('wavering');
      const isLost = connectionState === 'failed' && !this.#isPolite;
      this.#recoverAfter(isLost ? 0 : this.#isPolite ? POLITE_PATIENCE : PATIENCE);
    }
  }

  #recoverAfter(milliseconds) {
    clearTimeout(this.#recovery);
    if (this.#state === 'closed') return;
    this.#recovery = setTimeout(() => this.#recover(), milliseconds);
  }

  /** Looks for another path on the same connection, then on a fresh one, then no more. */
  async #recover(isBroken) {
    if (this.#state === 'closed') return;
    if (isBroken) this.#attempts = Math.max(this.#attempts, RESTARTS);
    if (++this.#attempts > RESTARTS + 1) {
      this.#end(this.#isOpened ? 'lost' : 'no_route', 'No path to the other side was found.');
      return;
    }
    this.#recoverAfter(RETRY * this.#attempts);
    if (this.#attempts > RESTARTS) {
      this.#round++;
      if (!this.#connectAfresh()) return;
    }
    await this.restart();
  }

  /** Is it open, and to whom? */
  async #check() {
    const connection = this.#connection;
    const isWaiting = [this.#control, this.#data].some((channel) => channel && channel.readyState !== 'open');
    if (connection.connectionState !== 'connected' || isWaiting) return;
    const proven = this.#proven;
    const isSame = await this.#other.proves(connection);
    if (connection !== this.#connection || this.#state === 'closed' || this.#state === 'connected') return;
    if (!this.#isSame(isSame)) return;
    if (!this.#isOpened) this.#chooseNext().catch(() => {}); // a stack that cannot
    this.#isOpened = true;
    this.#attempts = 0;
    this.#retired?.close();
    this.#retired = null;
    clearTimeout(this.#deadline);
    clearTimeout(this.#recovery);
    this.#open.resolve(this);
    this.opened.then(proven.resolve); // those that wait for it listen by then
    this.#become('connected');
    this.#wake();
    this.#introduce();
    const route = await routeOf(connection).catch(() => null);
    if (!route || route === this.#route || this.#state === 'closed') return;
    this.#route = route;
    this.#emit('route', route);
  }

  #left() {
    const { connectionState } = this.#connection;
    // Nobody has closed it: a connection that fails takes its channels along.
    if (connectionState === 'failed' && this.#isOpened) return this.#recover(true);
    this.#end(connectionState === 'connected' ? 'left' : 'lost', 'The other side has closed the connection.', { isSilent: true });
  }

  #expectPath() {
    this.#expect(this.#options.connectWithin ?? CONNECT_WITHIN, 'no_route', 'No path to the other side was found in time.');
  }

  #expect(milliseconds, code, message) {
    clearTimeout(this.#deadline);
    if (this.#state === 'closed') return;
    this.#deadline = setTimeout(() => this.#end(code, message), milliseconds);
  }

  #fail(error) {
    this.#end('signalling', error.message, { cause: error });
  }

  #end(code, message, { cause, bye = code, isSilent = false } = {}) {
    if (this.#state === 'closed') return;
    if (!isSilent) {
      try {
        this.#tell({ bye });
        // What is said last over the connection is not always sent: its end is, but not by every stack.
        if (this.#isInBand) this.#post({ pc: this.#id, bye });
      } catch {
        // It will see the channel close.
      }
    }
    this.#error = new PeerError(code, message, { cause });
    clearTimeout(this.#deadline);
    clearTimeout(this.#recovery);
    this.#gone.abort();
    this.#negotiation.close();
    this.#pulse.stop();
    this.#retired?.close();
    this.#connection.close();
    this.#unregister();
    this.#open.reject(this.#error);
    this.#close.resolve(code === 'closed' ? undefined : this.#error);
    this.#become('closed');
    this.#wake();
  }

  #become(state) {
    // A listener that has just been told something may have closed it, which is the last.
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.#emit('state', state);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  async #until(holds, signal) {
    while (!holds()) {
      if (this.#state === 'closed') throw this.#error;
      await abortable(this.#changed.promise, signal);
    }
    signal?.throwIfAborted();
  }

  #wake() {
    this.#changed.resolve();
    this.#changed = gate();
  }
}

/** The bytes of memory of a message, about; one that is empty takes some, too. */
function sizeOf(data) {
  return 64 + (data.byteLength ?? 2 * (data.length ?? 0));
}

/** 128 random bits; `crypto.randomUUID` is not there on a page without TLS. */
function randomId() {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
