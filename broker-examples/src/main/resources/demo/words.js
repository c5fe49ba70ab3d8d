/** What the page says: every sentence that depends on how things stand. */
import { BrokerError } from './broker-client.js';

/**
 * How it stands with the broker.
 *
 * @param line the state of the own channel, once the user wants to join
 * @param here the last snapshot of the roster
 */
export function statusWords({ state, line, here, wantsToJoin, hasJoined, hasOpenChats }) {
  switch (state) {
    case 'slow':
      return 'Still connecting. A browser opens at most six connections to one server: is this page open in many tabs?';
    case 'open':
      if (!wantsToJoin) return 'The broker is there. Type a name to join.';
      return hasJoined ? 'You are online.' : 'Signing you in…';
    case 'away':
      if (line.refused && here.state === 'open') return 'The broker has no room for this page now. Trying again…';
      return `${here.detail || 'The broker is away.'} Trying again…${hasOpenChats ? ' Your open chats go on without it.' : ''}`;
    case 'refused':
      return 'The broker is there.'; // and the filter's own line says what it does not like
    case 'ended':
      return line.reason === 'revoked' ? 'This site has closed your connection.' : 'The broker has ended this connection.';
    default:
      return 'Connecting to the broker…';
  }
}

/** What stands in place of an empty list. */
export function emptyWords(here, isEmpty) {
  if (!isEmpty || !here.complete || here.state === 'refused') return '';
  return here.filter ? 'Nobody with these tags.'
    : 'Nobody else yet. Open this page in a second tab, or on a second device.';
}

/** How it stands with a chat. */
export function chatWords(chat) {
  switch (chat.state) {
    case 'calling': return `Calling ${chat.name}…${chat.isAway ? ' That page is away. It rings if it comes back.' : ''}`;
    case 'connecting': return 'Connecting your browsers…';
    case 'wavering': return 'The connection is interrupted. Waiting for it to come back…';
    case 'over': return 'This chat has ended.';
    default: return chat.viaBroker ? 'Through the broker, no direct connection' : 'Connected, browser to browser';
  }
}

/** A chat in a few words, for the list. */
export function briefly(chat) {
  if (chat.state === 'calling') return 'Calling…';
  if (chat.state === 'connecting') return 'Connecting…';
  const said = chat.lines.at(-1);
  if (!said || said.from === 'note') return chat.state === 'over' ? 'Ended' : '';
  return said.from === 'me' ? `You: ${said.text}` : said.text;
}

/** That a call has reached a peer; a namesake of theirs may have another chat. */
export function connectedWords(name, hasNamesake) {
  return `You are connected to ${name}, browser to browser.${
    hasNamesake ? ` This is not the ${name} of your other chat: anybody can take any name.` : ''}`;
}

/** Why a chat has ended; `reason` is a PeerLink's. */
export function endingWords(reason, name) {
  switch (reason) {
    case 'left': return `${name} has left.`;
    case 'no-answer': return `${name} did not answer. A page that was cut off stays listed for up to two minutes.`;
    case 'busy': return `${name}’s page has too many calls to take this one. Call again in a moment.`;
    case 'another': return `Somebody else answered in ${name}’s place. That is another chat.`;
    case 'no-route': return `No direct way to ${name} was found. Between two networks this can take a TURN server.`;
    case 'broken': return `${name}’s browser said something that this one does not understand.`;
    default: return `The connection to ${name} was lost.`;
  }
}

/** What a failure means to the person who wrote. */
export function failureWords(failure, name) {
  if (!(failure instanceof BrokerError)) return 'Something went wrong in this page.';
  switch (failure.code) {
    case 'unknown_target':
      return `${name} has left.`;
    case 'rate_limited':
      return `That was too fast for the broker. It takes more in ${seconds(failure.retryAfterSeconds)}.`;
    case 'target_busy':
      return `${name} can’t keep up at the moment. Try again in ${seconds(failure.retryAfterSeconds)}.`;
    case 'no_answer':
      return 'The broker did not answer in time. It may have been delivered.';
    case 'no_channel':
    case 'unreachable':
    case 'unknown_channel':
      return 'The broker is away.';
    default:
      return failure.message;
  }
}

function seconds(count) {
  return count > 1 ? `${count} seconds` : 'a second';
}
