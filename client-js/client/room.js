import { BrokerError, gate, onAbort } from './error.js';
import { identity } from './identity.js';
import { Peer } from './peer.js';

/** After a call in vain the same session is called again: after so long at first and at most, in milliseconds. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;

/** The longest that a timer takes, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** A call must be between two known sessions within so long, in milliseconds: it may come before the list, or the own address, does. */
const LISTED_WITHIN = 5_000;

/**
 * Everybody with a tag meets everybody: hosts a session with the tag, and has one peer to each other session with it. Which of
 * two calls the other follows from their addresses.
 *
 * Each member is known by the fingerprint of its certificate, which its session names and its connection proves. So after a new
 * start of the broker, where everybody has another address, the members are recognised, and their connections go on.
 */
export class Room extends EventTarget {
  #broker;
  #tag;
  #options;
  #max;
  #tracks = new Map(); // what is sent to each member → its streams
  #session = null;
  #fingerprint = null;
  #watch = null;
  #calls = new Map(); // sid → {sid, peer, session, member, tracks}: under way, or open and a member
  #failures = new Map(); // sid → {count, pause}: calls in vain, and the timer until the next
  #ringing = new Set(); // calls from sessions that the list does not show yet, or before the own address is known
  #gone = new AbortController();
  #closing = gate();

  constructor(broker, tag, { metadata = {}, max = 8, tracks = [], within, signal, ...options } = {}) {
    super();
    this.#broker = broker;
    this.#tag = tag;
    this.#options = options;
    this.#max = max;
    for (const track of tracks.getTracks?.() ?? tracks) this.#tracks.set(track, tracks.getTracks ? [tracks] : []);
    this.closed = this.#closing.promise;
    this.ready = this.#enter(metadata, within);
    this.ready.catch((error) => this.#end(error));
    const forget = onAbort(signal, () => this.#end(undefined, signal.reason));
    this.closed.then(forget);
  }

  /** The members that are connected. */
  get members() {
    return [...this.#calls.values()].filter(({ member }) => member).map(({ member }) => member);
  }

  /** Sends a track to the members, and to those to come. */
  addTrack(track, ...streams) {
    if (this.#tracks.has(track)) return;
    this.#tracks.set(track, streams);
    for (const { peer } of this.members) if (peer.state !== 'closed') peer.addTrack(track, ...streams);
  }

  /** Takes a track back. */
  removeTrack(track) {
    this.#tracks.delete(track);
    for (const { peer: { connection, state } } of this.members) {
      const sender = state !== 'closed' && connection.getSenders().find((one) => one.track === track);
      if (sender) connection.removeTrack(sender);
    }
  }

  /** Leaves the room. */
  async close() {
    await this.#end(undefined, new BrokerError('closed', 'The room is closed: make another one.'));
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }

  async #end(error, reason = error) {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort(reason);
    this.#closing.resolve(error);
    this.#watch?.close();
    for (const { pause } of this.#failures.values()) clearTimeout(pause);
    for (const call of this.#ringing) call.decline();
    for (const { peer } of this.#calls.values()) peer?.close();
    await this.#session?.close();
  }

  async #enter(metadata, within = 30_000) {
    const { signal } = this.#gone;
    const { certificates, fingerprint } = await identity(this.#options);
    this.#options = { ...this.#options, rtc: { ...this.#options.rtc, certificates } };
    this.#fingerprint = fingerprint;
    signal.throwIfAborted();
    const stop = Peer.answer(this.#broker, (call) => this.#answer(call));
    signal.addEventListener('abort', stop);
    const session = await this.#broker.host(
      { tags: [this.#tag], listed: true, metadata: { ...metadata, fingerprint } },
      { signal, within: Math.min(within, LONGEST) },
    );
    this.#session = session;
    if (signal.aborted) await session.close();
    signal.throwIfAborted();
    this.#broker.addEventListener('channel', ({ detail: { sessions } }) => {
      const { error } = sessions.find(({ was, sid }) => was === session.sid && !sid) ?? {};
      if (error) this.#end(error);
    }, { signal });
    this.#broker.addEventListener('malformed', ({ detail: { origin, error } }) => {
      if (origin === session.sid) this.#end(invisible(error));
    }, { signal });
    this.#watch = this.#broker.watch(this.#tag, { signal });
    this.#watch.subscribe(() => this.#look());
    this.#look();
    await this.#watch.ready;
  }

  /** Compares the list with the calls. */
  #look() {
    const own = this.#session.sid;
    if (this.#gone.signal.aborted) return;
    if (this.#watch.error) return this.#end(this.#watch.error);
    const listed = new Map(this.#watch.snapshot.map((session) => [session.sid, session]));
    if (listed.has(own) && listed.get(own).metadata?.fingerprint !== this.#fingerprint) return this.#end(invisible());
    for (const [sid, { pause }] of this.#failures) {
      if (listed.has(sid)) continue;
      clearTimeout(pause);
      this.#failures.delete(sid);
    }
    for (const session of listed.values()) {
      const { sid } = session;
      // An own session of an earlier channel can still be listed.
      if (session.own || sid === own || session.metadata?.fingerprint === this.#fingerprint) continue;
      const call = this.#callOf(session);
      if (call) {
        call.session = session;
        this.#settle(call);
      } else if (this.#memberWith(session.metadata?.fingerprint)) {
        // Either a stranger has copied it, or the member is about to say so, or about to lose its connection.
        continue;
      } else if (own < sid && this.#hasRoom && !this.#failures.get(sid)?.pause) {
        this.#add(sid, Peer.call(this.#broker, sid, { ...this.#options, origin: this.#session, call: { room: this.#tag } }), session);
      }
    }
    for (const call of this.#ringing) {
      if (call.to === own && listed.has(call.from) && this.#ringing.delete(call) && !call.signal.aborted) this.#answer(call);
    }
    // A member that is connected stays: its session may come again. Others are nobody's any longer.
    for (const call of [...this.#calls.values()]) if (!listed.has(call.sid) && call.session && !call.member) call.peer.close();
  }

  #memberWith(fingerprint) {
    return [...this.#calls.values()].find(({ member }) => member && member.fingerprint === fingerprint);
  }

  /**
   * The call with a session. After a new start of the broker a member has another session, which names the member, and which the
   * member names over its connection: either alone can be made up.
   */
  #callOf({ sid, metadata }) {
    const member = this.#memberWith(metadata?.fingerprint);
    if (member?.peer.target === sid && !this.#calls.has(sid)) {
      this.#calls.delete(member.sid);
      member.sid = sid;
      this.#calls.set(sid, member);
    }
    return this.#calls.get(sid);
  }

  get #hasRoom() {
    return this.#calls.size < this.#max && !this.#gone.signal.aborted;
  }

  #answer(call) {
    const { sid: own, moving } = this.#session ?? { moving: true };
    if (call.call?.room !== this.#tag || (call.to !== own && !moving)) return false;
    const session = this.#watch?.snapshot.find(({ sid }) => sid === call.from);
    // Lists show a session before its owner has the answer that names it.
    if (call.to !== own || !session) {
      this.#ring(call);
      return true;
    }
    const before = this.#callOf(session);
    if (!before && !this.#hasRoom) {
      call.decline('The room is full.');
      return true;
    }
    if (before) {
      this.#remove(before); // the other side has lost it
      before.peer.close();
    }
    this.#add(call.from, call.accept(this.#options), session);
    return true;
  }

  /** A caller that is in no list would be connected, and see and hear everybody, without being a member. */
  #ring(call) {
    this.#ringing.add(call);
    setTimeout(() => {
      if (this.#ringing.delete(call)) call.decline('The room does not see you.');
    }, LISTED_WITHIN);
  }

  #add(sid, peer, session) {
    const call = { sid, peer, session, member: null, tracks: [] };
    this.#calls.set(sid, call);
    peer.addEventListener('track', ({ detail }) => {
      call.tracks.push(detail);
      this.#tellTracks(call);
    });
    peer.opened.then(() => this.#settle(call), () => {});
    peer.closed.then(() => this.#remove(call));
  }

  /** Makes a member of a peer that is connected, and is who its session says. */
  #settle(call) {
    const { peer, session, member } = call;
    const isOpened = peer.state !== 'calling' && peer.state !== 'connecting';
    if (member || !session || !isOpened || this.#calls.get(call.sid) !== call) return;
    const expected = session.metadata?.fingerprint;
    if (!peer.fingerprint || expected !== peer.fingerprint) {
      peer.close('not who its session says');
      return;
    }
    const twin = this.#memberWith(expected);
    if (twin) this.#remove(twin);
    twin?.peer.close();
    this.#failures.delete(call.sid);
    call.member = { peer, metadata: session.metadata, fingerprint: expected };
    // Not before: what is in a connection from its beginning is sent to any stranger who copies a member's fingerprint.
    for (const [track, streams] of this.#tracks) peer.addTrack(track, ...streams);
    this.#emit('join', call.member);
    this.#tellTracks(call);
  }

  #tellTracks({ member, tracks }) {
    if (member) for (const event of tracks.splice(0)) this.#emit('track', { member, track: event.track, streams: event.streams });
  }

  #remove(call) {
    if (this.#calls.get(call.sid) !== call) return;
    this.#calls.delete(call.sid);
    if (call.member) this.#emit('leave', call.member);
    if (this.#gone.signal.aborted) return;
    // A session can outlive its owner for a while, and a network can fail: each is called again, but ever more seldom.
    const count = (this.#failures.get(call.sid)?.count ?? 0) + 1;
    const failure = { count };
    failure.pause = setTimeout(() => {
      failure.pause = null;
      this.#look();
    }, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (count - 1)));
    clearTimeout(this.#failures.get(call.sid)?.pause);
    this.#failures.set(call.sid, failure);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The broker's check of the metadata refuses this room's own session, or changes it; so it does with those of all others. */
function invisible(cause) {
  const error = new BrokerError('invalid_request', "The broker's check.metadata must let `fingerprint` pass: a room knows its members by it.");
  error.cause = cause;
  return error;
}
