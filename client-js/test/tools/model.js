/** Numbers that look random and come again with the same seed. */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const roleOf = ({ sdp }) => /a=setup:(\w+)/.exec(sdp)[1];

/**
 * What WebRTC 1.0 says about signalling states and descriptions, strictly, without a network: operations take a random time, run
 * one after the other, and reject in a wrong state. Its SDP is JSON: the sections (a union, as nothing is removed here) and the
 * ICE generation, and the roles in DTLS.
 */
export class ModelConnection extends EventTarget {
  #random;
  #chain = Promise.resolve();
  #generation = 0;
  #isNeeded = false;
  #role; // of the other side, in the one DTLS association that there is
  signalingState = 'stable';
  sections = new Set();
  negotiated = new Set();
  local = { current: null, pending: null };
  remote = { current: null, pending: null };
  candidates = [];
  errors = [];

  constructor(name, rand) {
    super();
    this.name = name;
    this.#random = rand;
  }

  get remoteDescription() {
    return this.remote.pending ?? this.remote.current;
  }

  get localDescription() {
    return this.local.pending ?? this.local.current;
  }

  addTrack(section) {
    this.sections.add(section);
    this.#update();
  }

  createOffer({ iceRestart } = {}) {
    return this.#operate(() => {
      if (!['stable', 'have-local-offer'].includes(this.signalingState)) this.#wrong('createOffer');
      return this.#describe('offer', iceRestart || !this.local.current ? this.#generation + 1 : this.#generation);
    });
  }

  createAnswer() {
    return this.#operate(() => {
      if (this.signalingState !== 'have-remote-offer') this.#wrong('createAnswer');
      const isRestart = JSON.parse(this.remote.pending.sdp).ufrag !== (this.remote.current && JSON.parse(this.remote.current.sdp).ufrag);
      return this.#describe('answer', isRestart ? this.#generation + 1 : this.#generation);
    });
  }

  setLocalDescription(description) {
    return this.#operate(() => {
      if (description.type === 'rollback') {
        if (this.signalingState !== 'have-local-offer') this.#wrong('rollback');
        this.local.pending = null;
        this.#generation = this.local.current ? JSON.parse(this.local.current.sdp).generation : 0;
        this.#become('stable');
        return;
      }
      const expected = description.type === 'offer' ? 'stable' : 'have-remote-offer';
      if (this.signalingState !== expected) this.#wrong(`setLocalDescription(${description.type})`);
      this.local.pending = description;
      const { ufrag, generation } = JSON.parse(description.sdp);
      this.#generation = generation;
      if (ufrag !== (this.local.current && JSON.parse(this.local.current.sdp).ufrag)) this.#gather(ufrag);
      if (description.type === 'answer') {
        this.#role ??= roleOf(description) === 'active' ? 'passive' : 'active';
        this.#settle();
      } else {
        this.#become('have-local-offer');
      }
    });
  }

  setRemoteDescription(description) {
    return this.#operate(() => {
      const expected = description.type === 'offer' ? 'stable' : 'have-local-offer';
      if (this.signalingState !== expected) this.#wrong(`setRemoteDescription(${description.type})`);
      if (description.type === 'answer') {
        this.#role ??= roleOf(description);
        // As Chromium says it.
        if (this.#role !== roleOf(description)) this.#wrong('Failed to set SSL role for the transport');
      }
      this.remote.pending = description;
      if (description.type === 'answer') this.#settle();
      else this.#become('have-remote-offer');
    });
  }

  addIceCandidate(candidate) {
    return this.#operate(() => {
      if (!this.remoteDescription) this.#wrong('addIceCandidate');
      if (candidate.candidate === '') return;
      if (candidate.usernameFragment !== JSON.parse(this.remoteDescription.sdp).ufrag) throw new Error('Unknown ufrag.');
      this.candidates.push(candidate.candidate);
    });
  }

  #describe(type, generation) {
    const remote = this.remoteDescription ? JSON.parse(this.remoteDescription.sdp).sections : [];
    const sections = [...new Set([...this.negotiated, ...this.sections, ...(type === 'answer' ? remote : [])])];
    const offered = type === 'answer' ? sections.filter((section) => remote.includes(section)) : sections;
    const ufrag = `${this.name}${generation}`;
    // As Firefox does it after a restart: the answerer is active whenever it may be.
    const setup = type === 'offer' ? 'actpass' : roleOf(this.remote.pending) === 'active' ? 'passive' : 'active';
    return { type, sdp: JSON.stringify({ ufrag, line: `a=ice-ufrag:${ufrag} a=setup:${setup} `, generation, sections: offered }) };
  }

  #settle() {
    const { sections } = JSON.parse((this.local.pending.type === 'answer' ? this.local : this.remote).pending.sdp);
    this.negotiated = new Set(sections);
    for (const side of [this.local, this.remote]) {
      side.current = side.pending;
      side.pending = null;
    }
    this.#isNeeded = false;
    this.#become('stable');
  }

  #become(state) {
    this.signalingState = state;
    if (state === 'stable') this.#update();
  }

  #update() {
    if (this.#isNeeded || this.signalingState !== 'stable') return;
    if ([...this.sections].every((section) => this.negotiated.has(section))) return;
    this.#isNeeded = true;
    setTimeout(() => {
      this.#isNeeded = false;
      if (this.signalingState === 'stable') this.dispatchEvent(new Event('negotiationneeded'));
    }, 0);
  }

  #gather(ufrag) {
    for (let port = 1; port <= 3; port++) {
      setTimeout(() => this.#candidate({ candidate: `${ufrag}:${port}`, usernameFragment: ufrag }), this.#random() * 60);
    }
    setTimeout(() => this.#candidate(null), 61);
  }

  #candidate(candidate) {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }));
  }

  #operate(operation) {
    const result = this.#chain.then(() => new Promise((resolve) => setTimeout(resolve, this.#random() * 8))).then(operation);
    this.#chain = result.catch(() => {});
    return result;
  }

  #wrong(operation) {
    const error = new Error(`${operation} in ${this.signalingState}`);
    this.errors.push(error);
    throw error;
  }
}
