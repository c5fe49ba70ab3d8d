/** The most candidates that wait for a call to be accepted, and that one signal has. */
export const MOST_EARLY = 100;

/** What a stranger says, as far as it is a signal: with a conversation's id, or in the seed's bare words. */
export function signalOf(message) {
  if (typeof message !== 'object' || message === null) return null;
  if (message.pc === undefined) return seedSignalOf(message);
  return isSignal(message) ? message : null;
}

/** An application may mean something else by these words, so they are looked at closely. */
function seedSignalOf({ offer, answer, candidate }) {
  for (const [type, said] of Object.entries({ offer, answer })) {
    const sdp = said?.sdp ?? said;
    if (typeof sdp === 'string' && sdp.startsWith('v=')) return { description: { type, sdp } };
  }
  return typeof candidate?.candidate === 'string' ? { candidates: [candidate] } : null;
}

function isSignal({ pc, round = 0, exchange = 0, description, candidates, address, next, bye, why }) {
  return typeof pc === 'string' && /^\S{1,64}$/.test(pc)
    && isCount(round) && isCount(exchange)
    && (!description || (/^(offer|answer)$/.test(description.type) && typeof description.sdp === 'string'))
    && (!candidates || (Array.isArray(candidates) && candidates.length <= MOST_EARLY))
    && [address, next, bye, why].every((text) => text === undefined || typeof text === 'string');
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
