import type { PeerOptions } from './peer.js';

/** By what the others know a client again, whatever its address. */
export interface Identity {
  /** For `rtc: { certificates }` of each call that is made or accepted. */
  readonly certificates: RTCCertificate[];
  /** What the other side of these calls has as `peer.fingerprint`: `sha-256 AB:CD:…`. To be published, as in a session's metadata. */
  readonly fingerprint: string;
}

/**
 * Makes a certificate, unless `rtc` has its own, and finds out its fingerprint. Browsers make certificates for about 30 days.
 * Rejects where the platform can make none. A `Room` does all this by itself.
 */
export function identity(options?: Pick<PeerOptions, 'rtc' | 'RTCPeerConnection'>): Promise<Identity>;
