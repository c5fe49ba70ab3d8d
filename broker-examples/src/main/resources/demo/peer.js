/**
 * One data channel to one other browser: the RTCPeerConnection and nothing of the broker. Signals to the other side go
 * out through `on.signal`; what it said comes in through `answer`, `accept` and `candidate`.
 */

const ANSWER_WITHIN = 15_000;
const CONNECT_WITHIN = 20_000;
const ANSWER_WHEN_BACK = 35_000; // the grace for which a page asks, and a little
const MOST_EARLY = 100;

/**
 * The certificate that all connections of this page use. DTLS proves its possession, so its fingerprint, which is published with
 * the session too, is what this page is recognised by after a new start of the broker has given it a new address.
 */
export async function createIdentity() {
  const certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
  const probe = new RTCPeerConnection({ certificates: [certificate] });
  probe.createDataChannel('');
  const { sdp } = await probe.createOffer();
  probe.close();
  return { certificate, fingerprint: fingerprintOf(sdp) };
}

/** The only fingerprint of a description; null where there is none, or where several differ. */
function fingerprintOf(sdp) {
  const all = new Set(Array.from(sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm),
    ([, algorithm, digits]) => `${algorithm.toLowerCase()} ${digits.toUpperCase()}`));
  return all.size === 1 ? all.values().next().value : null;
}

/**
 * The fingerprint of the certificate whose possession the other side has proved, once a data channel is open. A description may
 * name several fingerprints, a stranger's among them; so the certificate itself is asked, where the browser shows it. Where it
 * does not, or the page may not hash (plain http), the browser has compared it with the only fingerprint that was named.
 */
async function provenFingerprint(connection) {
  const [certificate] = connection.sctp?.transport.getRemoteCertificates?.() ?? [];
  if (!certificate || !crypto.subtle) return fingerprintOf(connection.remoteDescription.sdp);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', certificate));
  const digits = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0').toUpperCase());
  return `sha-256 ${digits.join(':')}`;
}

/**
 * Calls `on.signal(message)`; `on.opened(fingerprint)` once, when it is proven who is at the other end, and only after it
 * `on.heard(said)` and, while the path is lost, `on.wavering(boolean)`; and exactly once, last, `on.over(reason)`: no-answer,
 * no-route, left, lost, broken. After a `close()` of one's own it calls nothing.
 */
export class PeerLink {
  #connection;
  #on;
  #data = null;
  #fingerprint = null;
  #isProving = false;
  #unproved = []; // what was said before it was proven who says it
  #early = [];
  #steps = Promise.resolve();
  #awaitsAnswer = false;
  #deadline = 0;
  #over = false;

  /** @param call names this attempt, so that what belongs to an abandoned one can be told apart */
  constructor(identity, call, on) {
    this.call = call;
    this.#on = on;
    const connection = new RTCPeerConnection({ certificates: [identity.certificate] });
    this.#connection = connection;
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate && !this.#over) this.#on.signal({ candidate: candidate.toJSON() });
    });
    connection.addEventListener('datachannel', ({ channel }) => this.#adopt(channel));
    connection.addEventListener('connectionstatechange', () => this.#pathChanged(connection.connectionState));
  }

  /** It is proven who is at the other end, and what is said arrives there. */
  get isOpen() {
    return this.#fingerprint !== null && this.#data.readyState === 'open' && !this.#over;
  }

  get isOver() {
    return this.#over;
  }

  /** The other side has named a way to it that is being tried. */
  get isOnTheWay() {
    return this.#connection.connectionState === 'connecting';
  }

  /** Has made an offer, and waits for the answer. */
  get isCalling() {
    return this.#awaitsAnswer && !this.#over;
  }

  /** The other page is away and may come back: waits longer for its answer. */
  waitLonger() {
    if (this.isCalling) this.#expect(ANSWER_WHEN_BACK, 'no-answer');
  }

  /** The initiator's first step: sends an offer. */
  offer() {
    this.#awaitsAnswer = true;
    this.#expect(ANSWER_WITHIN, 'no-answer');
    this.#adopt(this.#connection.createDataChannel('chat'));
    this.#next(async () => {
      const offer = await this.#connection.createOffer();
      this.#on.signal({ offer: offer.sdp }); // before the candidates, which start with the next line
      await this.#connection.setLocalDescription(offer);
    });
  }

  /** The responder's step: takes the offer, sends an answer. */
  answer(sdp) {
    this.#expect(CONNECT_WITHIN, 'no-route');
    this.#next(async () => {
      await this.#connection.setRemoteDescription({ type: 'offer', sdp });
      const answer = await this.#connection.createAnswer();
      this.#on.signal({ answer: answer.sdp });
      await this.#connection.setLocalDescription(answer);
      await this.#takeEarlyCandidates();
    });
  }

  /** The initiator's last step: takes the answer. */
  accept(sdp) {
    if (!this.isCalling) return;
    this.#awaitsAnswer = false;
    this.#expect(CONNECT_WITHIN, 'no-route');
    this.#next(async () => {
      await this.#connection.setRemoteDescription({ type: 'answer', sdp });
      await this.#takeEarlyCandidates();
    });
  }

  /** Takes a candidate of the other side; one that overtook its description waits for it. */
  candidate(candidate) {
    this.#next(async () => {
      if (this.#connection.remoteDescription) await this.#take(candidate);
      else if (this.#early.length < MOST_EARLY) this.#early.push(candidate);
    });
  }

  /** @returns whether the text could be handed to the data channel */
  say(text) {
    return this.tell({ text });
  }

  /** As `say`, for what is not a line of the chat. */
  tell(what) {
    if (!this.isOpen) return false;
    try {
      this.#data.send(JSON.stringify(what));
      return true;
    } catch {
      return false; // its buffer is full
    }
  }

  /** Hangs up. The other side sees its data channel close. */
  close() {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#data?.close();
    this.#connection.close();
  }

  /** Takes the one data channel; more that the other side opens are closed. */
  #adopt(data) {
    if (this.#data) {
      data.close();
      return;
    }
    this.#data = data;
    data.addEventListener('open', () => this.#prove());
    data.addEventListener('close', () => this.#end('left'));
    data.addEventListener('message', ({ data: text }) => {
      if (this.#fingerprint !== null) this.#hear(text);
      else if (this.#unproved.push(text) > MOST_EARLY) this.#end('broken');
    });
    if (data.readyState === 'open') this.#prove();
  }

  async #prove() {
    if (this.#isProving) return;
    this.#isProving = true;
    const fingerprint = await provenFingerprint(this.#connection).catch(() => null);
    if (this.#over) return;
    if (fingerprint === null) {
      this.#end('broken');
      return;
    }
    clearTimeout(this.#deadline);
    this.#fingerprint = fingerprint;
    this.#on.opened(fingerprint);
    for (const text of this.#unproved.splice(0)) this.#hear(text);
  }

  #hear(text) {
    const said = parse(text);
    if (!this.#over && typeof said === 'object' && said !== null) this.#on.heard(said);
  }

  #pathChanged(state) {
    if (this.#over) return;
    if (state === 'failed') this.#end(this.isOpen ? 'lost' : 'no-route');
    else if (this.isOpen) this.#on.wavering(state === 'disconnected');
  }

  async #takeEarlyCandidates() {
    for (const candidate of this.#early.splice(0)) await this.#take(candidate);
  }

  async #take(candidate) {
    await this.#connection.addIceCandidate(candidate).catch(() => {}); // one that is no use: the others may do
  }

  /**
   * Takes a step when the one before is done: an answer can come before the own offer is set. Other people's SDP may be anything;
   * what goes wrong with it ends this link and nothing else.
   */
  #next(step) {
    this.#steps = this.#steps.then(async () => {
      if (!this.#over) await step();
    }).catch(() => this.#end('broken'));
  }

  #expect(milliseconds, orElse) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#end(orElse), milliseconds);
  }

  #end(reason) {
    if (this.#over) return;
    this.close();
    this.#on.over(reason);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
