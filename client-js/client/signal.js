/** The most candidates that wait for a call to be accepted, and that one signal has. */
export const MOST_EARLY = 100;

/** The most characters of a description and, as JSON, of a candidate. */
const MOST_SDP = 262_144;
const MOST_CANDIDATE = 1_024;

/** What a stranger says, as far as it is a signal: with a conversation's id, or in the seed's bare words. */
export function signalOf(message) {
  if (typeof message !== 'object' || message === null) return null;
  const { pc, description, candidates, bye } = message;
  if (pc === undefined) return seedSignalOf(message);
  return (description || candidates || bye) && isSignal(message) ? message : null;
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An application may mean something else by these words, so they are looked at closely. */
function seedSignalOf({ offer, answer, candidate }) {
  for (const [type, said] of Object.entries({ offer, answer })) {
    const sdp = said?.sdp ?? said;
    if (isSdp(sdp) && sdp.startsWith('v=')) return { description: { type, sdp } };
  }
  return typeof candidate?.candidate === 'string' && isShort(candidate) ? { candidates: [candidate] } : null;
}

/** Whether each of its members is of its kind. Over the connection itself it may be of more kinds than over a broker. */
export function isSignal({ pc, round = 0, exchange = 0, description, candidates, address, next, bye, why }) {
  return typeof pc === 'string' && /^\S{1,64}$/.test(pc)
    && isCount(round) && isCount(exchange)
    && (!description || (/^(offer|answer)$/.test(description.type) && isSdp(description.sdp)))
    && (!candidates || (Array.isArray(candidates) && candidates.length <= MOST_EARLY && candidates.every(isShort)))
    && [address, next, bye, why].every((text) => text === undefined || typeof text === 'string');
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

function isSdp(text) {
  return typeof text === 'string' && text.length <= MOST_SDP;
}

function isShort(candidate) {
  return JSON.stringify(candidate).length <= MOST_CANDIDATE;
}
