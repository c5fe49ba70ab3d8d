import { fingerprintsOf } from './fingerprint.js';
import { PeerError } from './peererror.js';

/**
 * Makes a certificate for all connections of a client, unless `rtc` has some, and returns it with its fingerprint: the one that
 * the others see, and by which they know this client again. See identity.d.ts for the contract.
 */
export async function identity({ RTCPeerConnection = globalThis.RTCPeerConnection, rtc } = {}) {
  if (!RTCPeerConnection) throw new PeerError('unsupported', 'There is no RTCPeerConnection here: pass one in the option of this name.');
  const certificates = rtc?.certificates
    ?? [await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' })];
  const probe = new RTCPeerConnection({ certificates });
  probe.createDataChannel('');
  const { sdp } = await probe.createOffer();
  probe.close();
  const [fingerprint] = fingerprintsOf(sdp);
  return { certificates, fingerprint };
}
