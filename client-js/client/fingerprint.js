/**
 * Who the other side of a conversation is: the owner of the certificate that its first connection proved, from description to
 * description and from connection to connection.
 */
export class Identity {
  /** `sha-256 AB:CD:…`, as the first connection proved it; null until then, and where the platform does not say. */
  fingerprint = null;
  #named = new Set(); // what the first description of the present connection names
  #known = null; // what a fresh connection may name; null until one was open
  #next = null; // and what it may name besides, as the other side has said itself

  /** Descriptions are of a fresh connection from now on. */
  begin() {
    this.#named = new Set();
  }

  /** Returns whether a description can be the other side's: one of the present connection, or the offer of a fresh one. */
  admits({ sdp }, isFresh) {
    const named = fingerprintsOf(sdp);
    const isFirst = isFresh || !this.#named.size;
    const mayName = (one) => (isFirst ? !this.#known || this.#isKnown(one) : this.#named.has(one));
    if (![...named].every(mayName)) return false;
    if (isFirst && !isFresh) this.#named = named;
    return true;
  }

  /** Resolves with whether a connection, which is open, belongs to the side that the first one did. */
  async proves(connection) {
    const fingerprint = await certificateOf(connection).catch(() => null) ?? (this.#named.size === 1 ? [...this.#named][0] : null);
    if (this.#known) return !fingerprint || this.#isKnown(fingerprint);
    this.fingerprint = fingerprint;
    this.#known = fingerprint ? new Set([fingerprint]) : this.#named;
    return true;
  }

  /** The other side has said, over the connection itself, which certificate its fresh connections will have. */
  expect(fingerprint) {
    this.#next ??= fingerprint;
  }

  #isKnown(fingerprint) {
    return this.#known.has(fingerprint) || fingerprint === this.#next;
  }
}

/**
 * The fingerprint of the certificate whose possession the other side has proved. A description may name several, a stranger's
 * among them, so the certificate itself is asked, where the browser shows it. Where it does not, or the page may not hash
 * (without TLS), the browser has compared it with what was named: null.
 */
async function certificateOf(connection) {
  const [certificate] = connection.sctp?.transport?.getRemoteCertificates?.() ?? [];
  if (!certificate || !crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', certificate));
  return `sha-256 ${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(':').toUpperCase()}`;
}

/** The fingerprints of a description, each once. */
export function fingerprintsOf(sdp) {
  return new Set(Array.from(sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm),
    ([, algorithm, digits]) => `${algorithm.toLowerCase()} ${digits.toUpperCase()}`));
}
