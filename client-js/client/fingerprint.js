/**
 * The fingerprint of the certificate whose possession the other side has proved. A description may name several, a stranger's
 * among them, so the certificate itself is asked, where the browser shows it. Where it does not, or the page may not hash
 * (without TLS), the browser has compared it with the only fingerprint that was named.
 */
export async function provenFingerprint(connection) {
  const [certificate] = connection.sctp?.transport?.getRemoteCertificates?.() ?? [];
  if (!certificate || !crypto.subtle) return fingerprintOf(connection.remoteDescription.sdp);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', certificate));
  return `sha-256 ${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(':').toUpperCase()}`;
}

/** The only fingerprint of a description; null where there is none, or where several differ. */
function fingerprintOf(sdp) {
  const [first, second] = fingerprintsOf(sdp);
  return second ? null : (first ?? null);
}

/** The fingerprints of a description, each once. */
export function fingerprintsOf(sdp) {
  return new Set(Array.from(sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm),
    ([, algorithm, digits]) => `${algorithm.toLowerCase()} ${digits.toUpperCase()}`));
}
