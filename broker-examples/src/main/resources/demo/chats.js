/**
 * The chats of this page: who calls whom through the broker, and what was said since.
 *
 * The handshake, message by message. `call` names the attempt; a client that leaves it and `name` out is understood as well:
 *
 *     initiator → session     {call, name, offer: <SDP>}
 *     responder → initiator   {call, answer: <SDP>}, or {call, busy: true}
 *     both, meanwhile         {call, candidate: <RTCIceCandidateInit>}
 *
 * Over the data channel: {text}, and {sid}, the session by which one is listed now.
 *
 * A session whose metadata says `"via": "broker"` has no WebRTC (a party in the JVM, say). One writes to it through the broker:
 *
 *     either → other          {name, text}
 *
 * Whatever is published or sent through the broker, names and fingerprints too, anybody can copy. So a call belongs to no chat
 * before DTLS has proved who is at its other end; then it belongs to the chat of that certificate, or begins a new one.
 */
import { PeerLink } from './peer.js';
import { connectedWords, endingWords, failureWords } from './words.js';

const MOST_CHATS = 50;
const MOST_CALLERS = 12; // that have not connected yet
const MOST_NOTICES = 10;
const MOST_LINES = 500;
const LONGEST_LINE = 8_000;

/** One conversation. `state`: calling, connecting, open, wavering, over. */
class Chat {
  link = null;
  lines = [];
  unread = 0;
  /** Of the certificate that the other side has proved to have; null before that. */
  fingerprint = null;
  /** The session that the other side says to be listed by, over the proven link. */
  claimed = null;
  /** Whether the call waits for a page whose connection is broken. */
  isAway = false;

  constructor(id, address, name, viaBroker) {
    this.id = id;
    this.address = address;
    this.name = name;
    this.viaBroker = viaBroker;
    this.state = viaBroker ? 'open' : 'calling';
  }

  add(from, text, more = {}) {
    const line = { from, text, at: new Date(), ...more };
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) this.lines.shift();
    return line;
  }
}

/**
 * Calls `changed(chat)` after every change, `heard(chat, text)` for what a screen reader should say at once, `called(chat)` when
 * somebody has called and is connected, `closed(chat)` when one has gone, `merged(chat, other)` when one has turned out to be with
 * the same person as another, and has gone into that.
 */
export class Chats {
  #broker;
  #identity;
  #on;
  #all = [];
  #callers = new Map(); // link → {address, name}, the oldest first
  #ids = 0;
  #notices = 0;
  #mine = new Set();
  me = { sid: null, name: '' };
  /** The chat that is shown, which never gives way to another. */
  shown = null;

  constructor(broker, identity, on) {
    this.#broker = broker;
    this.#identity = identity;
    this.#on = on;
    broker.addEventListener('message', ({ detail }) => this.#received(detail));
  }

  get all() {
    return this.#all;
  }

  /** This page hosts a session, by which others call it, or null: none any longer. Connected peers are notified. */
  host(sid) {
    if (this.me.sid === sid) return;
    this.me.sid = sid;
    if (!sid) return;
    this.#mine.add(sid);
    for (const { link } of this.#all) link?.tell({ sid });
  }

  /** Whether a session is, or once was, this page's. */
  isMine(sid) {
    return this.#mine.has(sid);
  }

  /**
   * The chat with a listed session, if there is one: by address, which the broker vouches for. After a new start of the broker
   * it is another; then the session must show the fingerprint of the chat, and the chat's other side must name the session. Either
   * alone can be made up.
   */
  with({ sid, metadata }) {
    return this.#all.find((chat) => chat.address === sid)
      ?? this.#all.find((chat) => chat.claimed === sid && chat.fingerprint === metadata?.fingerprint);
  }

  /** Opens, or opens again, the chat with a listed session. */
  meet(session) {
    let chat = this.with(session);
    if (!chat) {
      chat = this.#begin(session.sid, nameOf(session), session.metadata?.via === 'broker');
      if (!chat.viaBroker) this.#ring(chat);
    } else if (chat.state === 'over') {
      chat.address = session.sid;
      this.again(chat);
    }
    return chat;
  }

  /** Calls once more. */
  again(chat) {
    chat.state = chat.viaBroker ? 'open' : 'calling';
    if (!chat.viaBroker) this.#ring(chat);
    this.#on.changed(chat);
  }

  async say(chat, text) {
    const line = chat.add('me', text, { state: 'sending' });
    await this.#deliver(chat, line);
  }

  async sayAgain(chat, line) {
    line.state = 'sending';
    await this.#deliver(chat, line);
  }

  /** Ends a chat and forgets it. */
  close(chat) {
    chat.link?.close();
    this.#all.splice(this.#all.indexOf(chat), 1);
    this.#on.closed(chat);
  }

  /** Ends all data channels, so that the others know at once. */
  hangUp() {
    for (const chat of this.#all) chat.link?.close();
    for (const link of this.#callers.keys()) link.close();
  }

  /** The list reports that this session is no longer there. A data channel may live on; everything else is over. */
  departed(sid) {
    const chat = this.#all.find((each) => each.address === sid);
    if (!chat || chat.state === 'over' || chat.link?.isOpen) return;
    chat.link?.close();
    this.#over(chat, 'left');
  }

  async #deliver(chat, line) {
    this.#on.changed(chat);
    if (chat.viaBroker) {
      try {
        await this.#broker.send(this.me.sid, chat.address, { name: this.me.name, text: line.text });
        line.state = 'sent';
      } catch (failure) {
        line.state = 'failed';
        line.why = failureWords(failure, chat.name);
      }
    } else if (chat.link?.say(line.text)) {
      line.state = 'sent';
    } else {
      line.state = 'failed';
      line.why = chat.state === 'over' ? `${chat.name} is gone.` : `There is no connection to ${chat.name} now.`;
    }
    this.#on.changed(chat);
  }

  #begin(address, name, viaBroker) {
    const chat = new Chat(++this.#ids, address, name, viaBroker);
    this.#all.push(chat);
    return chat;
  }

  /** Whether one more chat may begin by itself. What gives way is not shown, and its owner has written nothing in it. */
  #hasRoom() {
    if (this.#all.length < MOST_CHATS) return true;
    const idle = this.#all.find((chat) => chat !== this.shown && (chat.state === 'over' || chat.viaBroker)
      && !chat.lines.some(({ from }) => from === 'me'));
    if (idle) this.close(idle);
    return Boolean(idle);
  }

  #received({ origin, target, message }) {
    if (target !== this.me.sid || typeof message !== 'object' || message === null) return;
    const { call, name, offer, answer, candidate, busy, text } = message;
    if (typeof offer === 'string') {
      this.#rung(origin, call, name, offer);
    } else if (typeof text === 'string') {
      this.#written(origin, name, text);
    } else {
      const link = this.#linkWith(origin, call);
      const chat = this.#chatOf(link);
      if (typeof answer === 'string' && link?.isCalling) {
        chat.state = 'connecting';
        link.accept(answer);
        this.#on.changed(chat);
      } else if (candidate) {
        link?.candidate(candidate);
      } else if (busy === true && chat && !link.isOpen) {
        link.close();
        this.#over(chat, 'busy');
      }
    }
  }

  #written(origin, name, text) {
    let chat = this.#all.find((each) => each.address === origin);
    if (chat && !chat.viaBroker) return;
    if (!chat) {
      if (!this.#hasRoom()) return;
      chat = this.#begin(origin, cleanName(name), true);
    }
    if (chat.state === 'over') chat.state = 'open';
    this.#heard(chat, text);
  }

  #ring(chat) {
    chat.link?.close();
    chat.isAway = false;
    chat.link = this.#connect(chat.address, chat.name, crypto.getRandomValues(new Uint32Array(2)).join('-'));
    chat.link.offer();
  }

  /** Somebody calls. When both called at once, the call of the smaller address stands. */
  #rung(origin, call, name, offer) {
    const calling = this.#all.find((each) => each.address === origin && each.link?.isCalling);
    if (calling && this.me.sid < origin) return;
    const link = this.#connect(origin, calling?.name ?? cleanName(name), call);
    if (calling) {
      calling.link.close();
      calling.link = link;
      calling.state = 'connecting';
      this.#on.changed(calling);
    } else {
      for (const [other, { address }] of this.#callers) {
        if (address === origin) this.#dismiss(other, address);
      }
      if (this.#callers.size >= MOST_CALLERS) this.#dismissOne();
      this.#callers.set(link, { address: origin, name: cleanName(name) });
    }
    link.answer(offer);
  }

  /** The oldest call that gets nowhere makes room for another one; junk, most likely. If it is not, its caller is asked to call again. */
  #dismissOne() {
    const callers = Array.from(this.#callers);
    const [link, { address }] = callers.find(([each]) => !each.isOnTheWay) ?? callers[0];
    this.#dismiss(link, address);
    this.#tellBusy(address, link.call);
  }

  #dismiss(link) {
    link.close();
    this.#callers.delete(link);
  }

  /** A few at a time: otherwise those who send junk would have this page send as much. */
  #tellBusy(address, call) {
    if (this.#notices >= MOST_NOTICES) return;
    this.#notices++;
    this.#broker.send(this.me.sid, address, { call, busy: true })
      .catch(() => {}) // it gives up by itself
      .finally(() => this.#notices--);
  }

  /** Makes a link; its outcome is reported to the chat that it belongs to by then. */
  #connect(address, name, call) {
    let turn = Promise.resolve();
    const link = new PeerLink(this.#identity, call, {
      signal: (message) => {
        turn = turn.then(() => this.#tell(address, link, message));
      },
      opened: (fingerprint) => this.#proved(link, address, name, fingerprint),
      heard: ({ text, sid }) => {
        const chat = this.#chatOf(link);
        if (typeof text === 'string') this.#heard(chat, text);
        if (typeof sid === 'string') chat.claimed = sid.slice(0, 64);
      },
      wavering: (is) => {
        const chat = this.#chatOf(link);
        chat.state = is ? 'wavering' : 'open';
        this.#on.changed(chat);
      },
      over: (reason) => this.#ended(link, reason),
    });
    return link;
  }

  #chatOf(link) {
    return link && this.#all.find((chat) => chat.link === link);
  }

  /** The link to an address whose attempt has this name, or any, if the other side gives none. */
  #linkWith(address, call) {
    const isMeant = (link) => link && !link.isOver && (call === undefined || call === link.call);
    return this.#all.find((chat) => chat.address === address && isMeant(chat.link))?.link
      ?? Array.from(this.#callers).find(([link, caller]) => caller.address === address && isMeant(link))?.[0];
  }

  /** It is proven who is at the other end of a link, so it is known whose chat it is. */
  #proved(link, address, name, fingerprint) {
    const own = this.#chatOf(link); // that this page has called from
    const hasCalled = this.#callers.delete(link);
    let chat = this.#all.find((each) => each.fingerprint === fingerprint) ?? (own?.fingerprint === null ? own : null);
    if (!chat) {
      if (!this.#hasRoom()) {
        link.close();
        this.#tellBusy(address, link.call);
        return;
      }
      chat = this.#begin(address, name, false);
    }
    if (own && own !== chat) this.#disown(own, chat);
    if (chat.link !== link) chat.link?.close();
    Object.assign(chat, { link, address, fingerprint, state: 'open', isAway: false });
    const hasNamesake = this.#all.some((each) => each !== chat && each.name === chat.name);
    chat.add('note', connectedWords(chat.name, hasNamesake));
    if (this.me.sid) link.tell({ sid: this.me.sid });
    if (hasCalled) this.#on.called(chat);
    this.#on.changed(chat);
  }

  /** A call from a chat has reached the person of another one. */
  #disown(chat, other) {
    chat.link = null;
    if (chat.fingerprint !== null) {
      this.#over(chat, 'another');
      return;
    }
    other.lines.push(...chat.lines);
    this.#all.splice(this.#all.indexOf(chat), 1);
    this.#on.merged(chat, other);
  }

  #ended(link, reason, failure) {
    this.#callers.delete(link);
    const chat = this.#chatOf(link);
    if (chat) this.#over(chat, reason, failure);
  }

  /** Tells the other side through the broker. Waits as long as the broker asks, a few times; gives up when the link has ended. */
  async #tell(address, link, message) {
    const { call } = link;
    const body = message.offer ? { call, name: this.me.name, ...message } : { call, ...message };
    for (let tries = 0; !link.isOver; tries++) {
      try {
        const { delivery } = await this.#broker.send(this.me.sid, address, body);
        if (delivery === 'queued' && message.offer) this.#waitFor(link);
        return;
      } catch (failure) {
        if (failure.status !== 429 || tries === 3) {
          if (link.isOver || link.isOpen || message.candidate) return;
          link.close();
          this.#ended(link, 'refused', failure);
          return;
        }
        await new Promise((resume) => setTimeout(resume, 1_000 * Math.max(1, failure.retryAfterSeconds)));
      }
    }
  }

  /** The broker keeps the call for a page that may come back. */
  #waitFor(link) {
    const chat = this.#chatOf(link);
    if (!chat || !link.isCalling) return;
    chat.isAway = true;
    link.waitLonger();
    this.#on.changed(chat);
  }

  #heard(chat, text) {
    const line = chat.add('them', text.slice(0, LONGEST_LINE));
    chat.unread++;
    this.#on.heard(chat, line.text);
    this.#on.changed(chat);
  }

  #over(chat, reason, failure) {
    chat.state = 'over';
    chat.isAway = false;
    chat.add('note', failure ? failureWords(failure, chat.name) : endingWords(reason, chat.name));
    this.#on.changed(chat);
  }
}

/** The name that a session goes by. What strangers publish is cut to size here and shown as text only. */
export function nameOf(session) {
  return cleanName(session.metadata?.name);
}

function cleanName(name) {
  const clean = typeof name === 'string' ? name.replace(/\p{Cc}+/gu, ' ').trim() : '';
  return Array.from(clean).slice(0, 64).join('') || 'Somebody without a name';
}
