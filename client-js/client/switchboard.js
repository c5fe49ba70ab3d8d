import { PeerError } from './peererror.js';
import { MOST_EARLY, signalOf } from './signal.js';

/** The most calls that ring at the same time, of all origins and of one; and how long one rings at most, in milliseconds. */
const MOST_RINGING = 64;
const MOST_OF_ONE = 4;
const RINGS_FOR = 5 * 60_000;

const switchboards = new WeakMap();

/** Returns the one switchboard of a broker. */
export function switchboardOf(broker) {
  if (!switchboards.has(broker)) switchboards.set(broker, new Switchboard(broker));
  return switchboards.get(broker);
}

/** Hands each signal that comes over a broker to the conversation that it belongs to, and lets new calls ring. */
class Switchboard {
  #broker;
  #conversations = new Set();
  #ringing = new Map(); // key → what takes the further signals of a call that rings
  #listeners = []; // {listener, accept}: the latest first

  constructor(broker) {
    this.#broker = broker;
    broker.intercept((incoming) => this.#route(incoming));
  }

  /**
   * @param conversation with its `key`; `receive(signal, from)` if `isFrom(from)`, the other side; and `crosses(signal, from, to)`: whether this new call is one with the
   *     conversation's own, made by both sides at the same time; `accepted(from, to)` a promise if it answers that call
   * @returns a function that ends it
   */
  connect(conversation) {
    this.#conversations.add(conversation);
    return () => this.#conversations.delete(conversation);
  }

  /** Takes over the call that rings between the two, for a call back. */
  takeRinging(from, to) {
    const ringing = [...this.#ringing.values()].find((one) => one.offer.pc && one.from === from && one.to === to);
    ringing?.end();
    return ringing;
  }

  /** Resolves once the calls between the two that were accepted are open, or over. */
  accepted(from, to) {
    return Promise.all(Array.from(this.#conversations, ({ accepted }) => accepted(from, to)));
  }

  /** `accept(caller, options)` makes a Peer of a call that `listener` has accepted. Returns what ends it. */
  answer(listener, accept) {
    const entry = { listener, accept };
    this.#listeners.unshift(entry);
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== entry);
    };
  }

  /** Returns whether the message was a signal. */
  #route({ origin, target, message }) {
    const signal = signalOf(message);
    if (!signal) return false;
    // A conversation's id has no space, so nobody can pass for a peer of the seed, which has none.
    const key = signal.pc ?? `${origin} ${target}`;
    const known = [...this.#conversations].find((one) => one.key === key && one.isFrom(origin)) ?? this.#ringing.get(key);
    if (known) {
      known.receive(signal, origin);
      return true;
    }
    if (signal.description?.type !== 'offer' || signal.round || signal.exchange) return this.#listeners.length > 0; // of one that is over
    for (const conversation of this.#conversations) if (conversation.crosses(signal, origin, target)) return true;
    return this.#ring(key, signal, origin, target);
  }

  /** Offers a call to the listeners until one takes it. Returns whether one did. */
  #ring(key, offer, from, to) {
    const bye = (reason, why) => {
      if (offer.pc) this.#broker.send(from, { pc: offer.pc, bye: reason, why }, { origin: to }).catch(() => {});
    };
    if (!this.#listeners.length) return false;
    const ofThisOne = [...this.#ringing.values()].filter((other) => other.from === from);
    if (this.#ringing.size >= MOST_RINGING || ofThisOne.length >= MOST_OF_ONE) {
      bye('busy');
      return true;
    }
    const candidates = [];
    const over = new AbortController();
    const end = () => {
      this.#ringing.delete(key);
      clearTimeout(expiry);
      over.abort();
    };
    // The caller's page may be gone without a farewell.
    const expiry = setTimeout(end, Math.min(RINGS_FOR, Number(offer.answerWithin) || RINGS_FOR));
    this.#ringing.set(key, {
      from,
      to,
      offer,
      candidates,
      end,
      receive(more) {
        if (more.bye) end();
        else candidates.push(...(more.candidates ?? []).slice(0, MOST_EARLY - candidates.length));
      },
    });
    let accept;
    const call = {
      from,
      to,
      call: offer.call,
      signal: over.signal,
      accept(options) {
        if (over.signal.aborted) throw new PeerError('left', 'This call is over, or was answered before.');
        end();
        return accept({ id: offer.pc ?? null, key, target: from, origin: to, offer, candidates }, options);
      },
      decline(reason) {
        if (over.signal.aborted) return;
        end();
        bye('declined', reason);
      },
    };
    try {
      for (const entry of [...this.#listeners]) {
        accept = entry.accept;
        const answer = entry.listener(call);
        if (answer === false) continue;
        // That a caller has left is no fault of the application's: on Node, a stranger could end its process with that.
        Promise.resolve(answer).catch((error) => {
          if (!(error instanceof PeerError)) throw error;
        });
        return true;
      }
    } catch (error) {
      end();
      throw error;
    }
    end();
    return false;
  }
}
