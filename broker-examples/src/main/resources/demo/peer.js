/**
 * One data channel to one other browser: the RTCPeerConnection and nothing of the broker. What the other side must be told goes
 * out through `on.signal`; what it said comes in through `answer`, `accept` and `candidate`.
 */

const ANSWER_WITHIN = 15_000;
const CONNECT_WITHIN = 20_000;
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

export function fingerprintOf(sdp) {
  return /^a=fingerprint:(\S+ \S+)/m.exec(sdp)?.[1] ?? null;
}

/**
 * Calls `on.signal(message)`, `on.opened()`, `on.heard(text)`, `on.wavering(boolean)` while the path is lost, and exactly once,
 * last, `on.over(reason)`: no-answer, no-route, left, lost, broken. After a `close()` of one's own it calls nothing.
 */
export class PeerLink {
  #connection;
  #on;
  #data = null;
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

  get isOpen() {
    return this.#data?.readyState === 'open' && !this.#over;
  }

  /** Has made an offer, and waits for the answer. */
  get isCalling() {
    return this.#awaitsAnswer && !this.#over;
  }

  /** Who is at the other end, as proven by DTLS once the channel is open. */
  get fingerprint() {
    return fingerprintOf(this.#connection.remoteDescription?.sdp ?? '');
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
    if (!this.isOpen) return false;
    try {
      this.#data.send(JSON.stringify({ text }));
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

  #adopt(data) {
    this.#data = data;
    const opened = () => {
      if (this.#over) return;
      clearTimeout(this.#deadline);
      this.#on.opened();
    };
    data.addEventListener('open', opened);
    data.addEventListener('close', () => this.#end('left'));
    data.addEventListener('message', ({ data: text }) => {
      const said = parse(text);
      if (typeof said?.text === 'string') this.#on.heard(said.text);
    });
    if (data.readyState === 'open') opened();
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
