/**
 * The chats of this page: who calls whom through the broker, and what was said since.
 *
 * The handshake, message by message. `call` names the attempt; a client that leaves it and `name` out is understood as well:
 *
 *     initiator → session     {call, name, offer: <SDP>}
 *     responder → initiator   {call, answer: <SDP>}
 *     both, meanwhile         {call, candidate: <RTCIceCandidateInit>}
 *
 * A session whose metadata says `"via": "broker"` has no WebRTC (a party in the JVM, say). One writes to it through the broker:
 *
 *     either → other          {name, text}
 */
import { PeerLink, fingerprintOf } from './peer.js';
import { endingWords, failureWords } from './words.js';

const MOST_CHATS = 50;
const MOST_LINES = 500;
const LONGEST_LINE = 8_000;

/** One conversation. `state`: calling, connecting, open, wavering, over. */
class Chat {
  link = null;
  signalling = Promise.resolve();
  lines = [];
  unread = 0;
  fingerprint = null;

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

/** `changed(chat)` is called after every change, `heard(chat, text)` for what a screen reader should say at once. */
export class Chats {
  #broker;
  #identity;
  #on;
  #all = [];
  #ids = 0;
  me = { sid: null, name: '' };

  constructor(broker, identity, on) {
    this.#broker = broker;
    this.#identity = identity;
    this.#on = on;
    broker.addEventListener('message', ({ detail }) => this.#received(detail));
  }

  get all() {
    return this.#all;
  }

  /** The chat with a listed session, if there is one: by proven fingerprint, or by address. */
  with({ sid, metadata }) {
    return this.#all.find((chat) => chat.address === sid)
      ?? this.#all.find((chat) => chat.fingerprint && chat.fingerprint === metadata?.fingerprint);
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
  }

  /** Ends all data channels, so that the others know at once. */
  hangUp() {
    for (const chat of this.#all) chat.link?.close();
  }

  /** The list says that this session is not there any more. A data channel may live on; everything else is over. */
  departed(sid) {
    const chat = this.#all.find((each) => each.address === sid);
    if (!chat || chat.state === 'over' || chat.state === 'open' && !chat.viaBroker) return;
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

  #received({ origin, target, message }) {
    if (target !== this.me.sid || typeof message !== 'object' || message === null) return;
    const { call, name, offer, answer, candidate, text } = message;
    if (typeof offer === 'string') {
      this.#rung(origin, call, name, offer);
      return;
    }
    const chat = this.#all.find((each) => each.address === origin);
    if (typeof text === 'string') {
      this.#written(chat, origin, name, text);
    } else if (chat?.link && (call === undefined || call === chat.link.call)) {
      if (typeof answer === 'string') {
        chat.state = 'connecting';
        this.#on.changed(chat);
        chat.link.accept(answer);
      } else if (candidate) {
        chat.link.candidate(candidate);
      }
    }
  }

  #written(known, origin, name, text) {
    const chat = known?.viaBroker ? known : this.#all.length < MOST_CHATS && this.#begin(origin, cleanName(name), true);
    if (!chat) return;
    if (chat.state === 'over') chat.state = 'open';
    this.#heard(chat, text);
  }

  #ring(chat) {
    const link = this.#link(chat, crypto.getRandomValues(new Uint32Array(2)).join('-'));
    link.offer();
  }

  /** Somebody calls. When both called at once, the call of the smaller address stands. */
  #rung(origin, call, name, offer) {
    const fingerprint = fingerprintOf(offer);
    let chat = this.#all.find((each) => each.address === origin && !each.viaBroker)
      ?? this.#all.find((each) => each.state === 'over' && each.fingerprint && each.fingerprint === fingerprint);
    if (chat?.link?.isCalling && this.me.sid < origin) return;
    if (!chat) {
      if (this.#all.length >= MOST_CHATS) return;
      chat = this.#begin(origin, cleanName(name), false);
    }
    chat.address = origin;
    chat.state = 'connecting';
    this.#link(chat, call).answer(offer);
    this.#on.changed(chat);
  }

  #link(chat, call) {
    chat.link?.close();
    const link = new PeerLink(this.#identity, call, {
      signal: (message) => this.#signal(chat, link, message),
      opened: () => {
        chat.state = 'open';
        chat.fingerprint = link.fingerprint;
        chat.add('note', `You are connected to ${chat.name}, browser to browser.`);
        this.#on.changed(chat);
      },
      heard: (text) => this.#heard(chat, text),
      wavering: (is) => {
        chat.state = is ? 'wavering' : 'open';
        this.#on.changed(chat);
      },
      over: (reason) => this.#over(chat, reason),
    });
    chat.link = link;
    return link;
  }

  /** Tells the other side through the broker, one message after the other. */
  #signal(chat, link, message) {
    chat.signalling = chat.signalling.then(() => this.#tell(chat, link, message));
  }

  /** Waits as long as the broker asks, a few times; gives up when the link is no longer the chat's. */
  async #tell(chat, link, message) {
    const { call } = link;
    const body = message.offer ? { call, name: this.me.name, ...message } : { call, ...message };
    for (let tries = 0; chat.link === link; tries++) {
      try {
        await this.#broker.send(this.me.sid, chat.address, body);
        return;
      } catch (failure) {
        if (failure.status !== 429 || tries === 3) {
          if (chat.link !== link || link.isOpen || message.candidate) return;
          link.close();
          this.#over(chat, 'refused', failure);
          return;
        }
        await new Promise((resume) => setTimeout(resume, 1_000 * Math.max(1, failure.retryAfterSeconds)));
      }
    }
  }

  #heard(chat, text) {
    const line = chat.add('them', text.slice(0, LONGEST_LINE));
    chat.unread++;
    this.#on.heard(chat, line.text);
    this.#on.changed(chat);
  }

  #over(chat, reason, failure) {
    chat.state = 'over';
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
