/** What the page says, and the little that it needs beside the DOM. Text is only ever set as text. */

export const byId = (id) => document.getElementById(id);

/** Sets text, but only where it differs: a live region that is set again is read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Makes a list show `items` in their order, and keeps the elements of those that were there: focus and reading position survive. */
export function showList(list, items, keyOf, create, fill) {
  const before = new Map(Array.from(list.children, (element) => [element.dataset.key, element]));
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    const element = before.get(key) ?? create(item);
    before.delete(key);
    element.dataset.key = key;
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    fill(element, item);
  });
  for (const element of before.values()) element.remove();
}

/** The messages of a chat; stays at the end if it was there. `again(line)` is for a line that could not be sent. */
export function showLog(log, chat, again) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  showList(log.firstElementChild, chat.lines, ({ id }) => id, ({ from, text, at }) => {
    const words = make('p', { class: 'text', dir: 'auto' }, text);
    if (from === 'note') return make('li', { class: 'note' }, words);
    const time = make('time', { datetime: at.toISOString() }, at.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' }));
    return make('li', { class: from }, make('span', { class: 'unseen' }, from === 'me' ? 'You' : chat.name), words,
      make('p', { class: 'meta' }, time, make('span', { class: 'why' })));
  }, (item, line) => {
    if (line.from !== 'me') return;
    item.dataset.state = line.state;
    setText(item.querySelector('.why'), { sending: 'Sending…', sent: '', failed: `Not sent. ${line.why}` }[line.state]);
    const button = item.querySelector('button');
    if (line.state !== 'failed') button?.remove();
    else if (!button) {
      const more = make('button', { type: 'button', class: 'quiet' }, 'Send again');
      more.addEventListener('click', () => again(line));
      item.querySelector('.meta').append(more);
    }
  });
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

/** A name that a stranger gives, cut to size. */
export function nameOf(name) {
  const clean = typeof name === 'string' ? name.replace(/\p{Cc}+/gu, ' ').trim() : '';
  return Array.from(clean).slice(0, 64).join('') || 'Somebody without a name';
}

/** How it stands with the broker; `state` and `error` are the client's. */
export function statusWords({ state, error }, hasJoined, isJoining, hasOpenChats) {
  if (state === 'open') return hasJoined ? 'You are online.' : isJoining ? 'Signing you in…' : 'The broker is there. Type a name to join.';
  if (state === 'closed') return error?.code === 'revoked' ? 'This site has closed your connection.' : 'The broker has ended this connection.';
  if (error?.code === 'at_capacity') return 'The broker has no room for this page now. Trying again…';
  if (!error && state !== 'away') return 'Connecting to the broker…';
  return `The broker is away. Trying again…${hasOpenChats ? ' Your open chats go on without it.' : ''}`;
}

/** How it stands with a chat. */
export function chatWords({ state, name, isAway, viaBroker, peer }) {
  if (state === 'calling') return `Calling ${name}…${isAway ? ' That page is away. It rings if it comes back.' : ''}`;
  if (state === 'connecting') return 'Connecting your browsers…';
  if (state === 'wavering') return 'The connection is interrupted. Waiting for it to come back…';
  if (state === 'over') return 'This chat has ended.';
  if (viaBroker) return 'Through the broker, no direct connection';
  return `Connected, browser to browser${peer?.route === 'relay' ? ', through a relay' : ''}`;
}

/** A chat in a few words, for the list. */
export function briefly({ state, lines }) {
  if (state === 'calling') return 'Calling…';
  if (state === 'connecting') return 'Connecting…';
  const said = lines.at(-1);
  if (!said || said.from === 'note') return state === 'over' ? 'Ended' : '';
  return said.from === 'me' ? `You: ${said.text}` : said.text;
}

export function connectedWords(name, hasNamesake) {
  return `You are connected to ${name}, browser to browser.${
    hasNamesake ? ` This is not the ${name} of your other chat: anybody can take any name.` : ''}`;
}

/** Why a chat has ended; `reason` is a PeerError's code. */
export function endingWords(reason, name) {
  switch (reason) {
    case 'left': return `${name} has left.`;
    case 'no_answer': return `${name} did not answer. A page that was cut off stays listed for up to two minutes.`;
    case 'declined': return `${name}’s page has too many calls to take this one. Call again in a moment.`;
    case 'another': return `Somebody else answered in ${name}’s place. That is another chat.`;
    case 'no_route': return `No direct way to ${name} was found. Between two networks this can take a TURN server.`;
    default: return `The connection to ${name} was lost.`;
  }
}

/** What a failure means to the person who wrote. */
export function failureWords({ code, message, retryAfter }, name) {
  const soon = retryAfter > 1 ? `${retryAfter} seconds` : 'a second';
  switch (code) {
    case 'unknown_target': return `${name} has left.`;
    case 'rate_limited': return `That was too fast for the broker. It takes more in ${soon}.`;
    case 'target_busy': return `${name} can’t keep up at the moment. Try again in ${soon}.`;
    case 'unanswered': return 'The broker did not answer in time. It may have been delivered.';
    case 'timeout': case 'closed': case 'unreachable': return 'The broker is away.';
    case 'left': case 'lost': case 'no_answer': case 'no_route': case 'declined': return `${name} is gone.`;
    default: return message ?? 'Something went wrong in this page.';
  }
}
