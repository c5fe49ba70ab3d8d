/** How long an offer waits for its answer before it is repeated, in milliseconds. Only what broke on the way needs it. */
const REPEAT = 5_000;

/**
 * How long a search for paths has before the next begins, in milliseconds: Firefox fails a connection with two at the same time,
 * and on a busy machine a search takes more than a second.
 */
const SEARCH = 3_000;

/** How long candidates are collected before they are sent together, in milliseconds. */
const COLLECT = 30;

/** The most candidates that wait for their description. */
const MOST_EARLY = 100;

/**
 * The offers, answers and candidates of one RTCPeerConnection: perfect negotiation with explicit descriptions and an explicit
 * rollback, since the stacks outside browsers know nothing else.
 *
 * Both sides count the exchanges of offer and answer that are completed, and every message names its exchange. So each exchange
 * has exactly one offer on which both sides agree, and a message that comes twice, late, or before its predecessor does no harm:
 *
 * - An offer of this exchange is answered, unless an own offer stands against it: then the polite side takes its own back.
 * - An offer of the last exchange is a repetition: the same answer is sent again.
 * - An offer of the next exchange has overtaken the answer of this one, and waits for it.
 * - An answer of another exchange is stale.
 *
 * Steps run one after the other, as each consists of several asynchronous ones.
 */
export class Negotiation {
  #connection;
  #on;
  #exchange = 0;
  #described = 0; // the exchange that the local description belongs to
  #wanted = false;
  #restart = false; // an offer that looks for new paths is wanted
  #restarting = false; // the one under way does
  #role; // of the other side in DTLS: active or passive, once it is settled
  #answer = null; // the own one of the last exchange
  #ahead = null; // what came of the next exchange
  #early = [];
  #collected = [];
  #collecting = 0;
  #repeating = 0;
  #searching = 0;
  #steps = Promise.resolve();
  #closed = false;

  /**
   * @param connection the RTCPeerConnection
   * @param on `isPolite()`: whether this side gives way when both make an offer at the same time;
   *     `send({exchange, description}, isAgain)`, `send({exchange, candidates})`, `searched()` once a search for paths has had its
   *     time, and `failed(error)` once a step went wrong, after which the connection is of no use
   */
  constructor(connection, on) {
    this.#connection = connection;
    this.#on = on;
    connection.addEventListener('icecandidate', ({ candidate }) => this.#collect(candidate));
  }

  /** Makes an offer as soon as nothing else is under way; with `restart`, one that looks for new paths. */
  offer(restart) {
    if (restart) this.#restart = true;
    else this.#wanted = true;
    this.#next(() => {});
  }

  /** Takes a message of the other side. Without a number of its own it belongs to the exchange that is under way. */
  receive({ exchange, description, candidates }) {
    this.#next(async () => {
      if (description) await this.#describe(exchange ?? this.#exchange, description);
      for (const candidate of candidates ?? []) {
        if ((exchange ?? 0) < this.#exchange) await this.#add(candidate);
        else if (this.#early.length < MOST_EARLY) this.#early.push({ exchange: exchange ?? 0, candidate });
      }
    });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#collecting);
    clearTimeout(this.#repeating);
    clearTimeout(this.#searching);
  }

  get #maySearch() {
    return this.#restart && !this.#searching;
  }

  async #describe(exchange, description) {
    const connection = this.#connection;
    const isOffering = connection.signalingState === 'have-local-offer';
    const isSearch = ufragOf(description) !== ufragOf(connection.remoteDescription);
    if (exchange > this.#exchange) {
      if (description.type === 'offer') this.#ahead = description;
    } else if (exchange < this.#exchange) {
      if (description.type === 'offer' && exchange === this.#exchange - 1 && this.#answer) {
        this.#on.send({ exchange, description: plain(connection.currentLocalDescription ?? this.#answer) }, true);
      }
    } else if (description.type === 'answer') {
      if (!isOffering) return;
      await connection.setRemoteDescription(description);
      this.#role ??= roleOf(description);
      this.#answer = null;
      await this.#complete(isSearch);
    } else if (!isOffering || this.#on.isPolite()) {
      if (isOffering) {
        await connection.setLocalDescription({ type: 'rollback' });
        // Where a stack does nothing, the next line throws. Other reasons for an offer come again as `negotiationneeded`.
        if (this.#restarting && !isSearch) this.#restart = true;
      }
      // One search is for both sides.
      if (isSearch) this.#restart = false;
      // When it answers a restart, Firefox takes the other role in DTLS than before, if it may, and other stacks refuse that.
      const sdp = this.#role ? description.sdp.replaceAll('a=setup:actpass', `a=setup:${this.#role}`) : description.sdp;
      await connection.setRemoteDescription({ type: 'offer', sdp });
      const answer = await connection.createAnswer();
      this.#say(plain(answer)); // before its candidates, which begin with the next line
      await connection.setLocalDescription(answer);
      this.#role ??= roleOf(answer) === 'active' ? 'passive' : 'active';
      this.#answer = plain(answer);
      await this.#complete(isSearch);
    }
  }

  async #complete(isSearch) {
    clearTimeout(this.#repeating);
    if (isSearch) {
      clearTimeout(this.#searching);
      this.#searching = setTimeout(() => {
        this.#searching = 0;
        this.#on.searched();
        this.#next(() => {});
      }, SEARCH);
    }
    this.#exchange++;
    const early = this.#early;
    this.#early = [];
    for (const one of early) {
      if (one.exchange < this.#exchange) await this.#add(one.candidate);
      else this.#early.push(one);
    }
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead) await this.#describe(this.#exchange, ahead);
  }

  async #offer() {
    const connection = this.#connection;
    const isSearch = this.#maySearch;
    const offer = await connection.createOffer(isSearch ? { iceRestart: true } : {});
    this.#restarting = isSearch;
    if (isSearch) this.#restart = false;
    this.#wanted = false;
    this.#say(plain(offer));
    await connection.setLocalDescription(offer);
    if (this.#exchange) this.#repeat();
  }

  #say(description, isAgain) {
    this.#flush();
    this.#described = this.#exchange;
    this.#on.send({ exchange: this.#exchange, description }, isAgain);
  }

  /** What was sent over a path that broke is sent again, with the candidates so far. */
  #repeat() {
    clearTimeout(this.#repeating);
    this.#repeating = setTimeout(() => {
      if (this.#connection.signalingState !== 'have-local-offer') return;
      this.#say(plain(this.#connection.localDescription), true);
      this.#repeat();
    }, REPEAT);
  }

  async #add(candidate) {
    try {
      await this.#connection.addIceCandidate(candidate);
    } catch {
      // It belongs to an offer that was taken back, or this stack does not know its kind: the others may do.
    }
  }

  #collect(candidate) {
    if (this.#closed) return;
    // Firefox ends the candidates of each section with an empty one, and everything with null, as all do.
    if (candidate?.candidate === '') return;
    this.#collected.push(candidate ? (candidate.toJSON?.() ?? candidate) : { candidate: '' });
    this.#collecting ||= setTimeout(() => this.#flush(), COLLECT);
  }

  #flush() {
    clearTimeout(this.#collecting);
    this.#collecting = 0;
    const candidates = this.#collected.splice(0);
    if (candidates.length) this.#on.send({ exchange: this.#described, candidates });
  }

  #next(step) {
    this.#steps = this.#steps.then(async () => {
      if (this.#closed) return;
      await step();
      const mayOffer = this.#connection.signalingState === 'stable';
      if (mayOffer && (this.#wanted || this.#maySearch)) await this.#offer();
    }).catch((error) => {
      if (!this.#closed) this.#on.failed(error);
    });
  }
}

function ufragOf(description) {
  return /ice-ufrag:(\S+)/.exec(description?.sdp)?.[1];
}

function roleOf({ sdp }) {
  return /a=setup:(\w+)/.exec(sdp)?.[1];
}

function plain({ type, sdp }) {
  return { type, sdp };
}
