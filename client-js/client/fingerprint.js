/**
 * Who the other side of a conversation is: the owner of the certificate that its first connection proved, from description to
 * description and from connection to connection.
 */
export class Identity {
  /** `sha-256 AB:CD:…`, as the first connection proved it; null until then, and where the platform does not say. */
  fingerprint = null;
  #named = null; // what the first description of the present connection names
  #known = null; // what a fresh connection may name; null until one was open
  #next = null; // of these, what the other side has said itself

  /** Descriptions are of a fresh connection from now on. */
  begin() {
    this.#named = null;
  }

  /** Returns whether a description can be the other side's: one of the present connection, or the offer of a fresh one. */
  admits({ sdp }, isFresh) {
    const named = fingerprintsOf(sdp);
    const known = isFresh ? this.#known : (this.#named ?? this.#known);
    if (known && [...named].some((one) => !known.has(one))) return false;
    if (!isFresh) this.#named ??= named;
    return true;
  }

  /** Resolves with whether a connection, which is open, belongs to the side that the first one did. */
  async proves(connection) {
    const [first = null, second] = this.#named;
    const fingerprint = await certificateOf(connection).catch(() => null) ?? (second ? null : first);
    if (this.#known) return !fingerprint || this.#known.has(fingerprint);
    this.fingerprint = fingerprint;
    this.#known = new Set(fingerprint ? [fingerprint] : this.#named);
    if (this.#next) this.#known.add(this.#next);
    return true;
  }

  /** The other side has said, over the connection itself, which certificate its fresh connections will have. */
  expect(fingerprint) {
    this.#next ??= fingerprint;
    this.#known?.add(this.#next);
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
