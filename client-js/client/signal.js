/** The most signals that wait for a call to be accepted, and candidates in one signal. */
export const MOST_EARLY = 100;

/** What a stranger says, as far as it is a signal: with a conversation's id, or in the seed's bare words. */
export function signalOf(message) {
  if (typeof message !== 'object' || message === null) return null;
  const { pc, offer, answer, candidate, round = 0, exchange = 0, description, candidates, address } = message;
  if (pc === undefined) {
    if (offer) return { description: { type: 'offer', sdp: offer.sdp ?? offer } };
    if (answer) return { description: { type: 'answer', sdp: answer.sdp ?? answer } };
    return candidate ? { candidates: [candidate] } : null;
  }
  const isSignal = typeof pc === 'string' && isCount(round) && isCount(exchange)
    && (!description || ((description.type === 'offer' || description.type === 'answer') && typeof description.sdp === 'string'))
    && (!candidates || (Array.isArray(candidates) && candidates.length <= MOST_EARLY))
    && (address === undefined || typeof address === 'string');
  return isSignal ? message : null;
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
