/** The page: who you are, who is there, what you say to each other. */
import { BrokerClient, BrokerError } from './broker-client.js';
import { Chats, nameOf } from './chats.js';
import { byId, make, setText, showList } from './dom.js';
import { MessageLog } from './message-log.js';
import { createIdentity } from './peer.js';
import { connectRoster } from './roster.js';
import { briefly, chatWords, emptyWords, statusWords } from './words.js';

const base = await whereTheBrokerIs();
const canConnect = 'RTCPeerConnection' in globalThis;
const identity = canConnect ? await createIdentity() : { fingerprint: null };

const broker = new BrokerClient(base);
const chats = new Chats(broker, identity, {
  changed: chatChanged,
  heard: chatHeard,
  called: chatCalled,
  closed: chatClosed,
  merged: chatMerged,
});
const roster = connectRoster(base, rosterChanged);

let wanted = null; // {name, tags} as typed
let accepted = null; // the same, as the broker has taken it
let isListed = false; // by that, on this channel
let line = { state: 'connecting' }; // the own channel's
let here = { state: 'connecting', sessions: [], complete: false, detail: '', filter: '' };
let current = null; // the chat that is shown
let incoming = []; // chats that others have begun, and that are still unread
const logs = new WeakMap(); // chat → its messages on the page

async function whereTheBrokerIs() {
  try {
    return (await (await fetch('config.json')).json()).broker;
  } catch (failure) {
    setText(byId('status-words'), 'The server is away. Reload this page in a moment.');
    throw failure;
  }
}

// ---------------------------------------------------------------- you

byId('me').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = byId('name').value.trim();
  const tags = byId('tags').value.split(',').map((tag) => tag.trim()).filter((tag) => tag);
  if (!name) {
    askForName('Type a name, so that the others know who you are.');
    return;
  }
  clearErrors();
  wanted = { name, tags };
  if (line.state === 'open') host();
  else broker.open();
});

byId('name').addEventListener('input', clearErrors);
byId('tags').addEventListener('input', clearErrors);

byId('change').addEventListener('click', () => {
  showMe(true);
  byId('name').focus();
});

broker.addEventListener('state', ({ detail }) => {
  line = detail;
  notice('');
  if (detail.state === 'ended') unhost();
  // The same channel goes on. Text that was typed meanwhile, or was lost on the way, must still be sent.
  if (detail.state === 'open' && broker.hasChannel && wanted && (wanted !== accepted || !isListed)) host();
  showStatus();
});

broker.addEventListener('channel', () => {
  unhost(); // a new channel: the session that the old one hosted is gone
  if (wanted) host();
});

function unhost() {
  isListed = false;
  chats.host(null);
}

/** Makes the broker list what was typed. Done again it changes nothing, so it can be whenever its answer was lost. */
async function host() {
  const asked = wanted;
  const metadata = { name: asked.name, fingerprint: identity.fingerprint };
  try {
    if (!chats.me.sid) chats.host(await broker.createSession());
    const { sid } = chats.me;
    await broker.update(sid, { tags: asked.tags, list: true, metadata });
    if (chats.me.sid !== sid) return; // the answer is an old channel's
    accepted = asked;
    isListed = true;
    chats.me.name = asked.name;
    clearErrors();
    showMe(false);
    showAll();
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure;
    if (failure.code === 'no_channel' || failure.code === 'unknown_channel') return; // the next channel hosts again
    if (failure.code === 'too_many_sessions') { // whose answers were all lost: they go with the channel
      broker.close();
      broker.open();
      return;
    }
    const willPass = failure.status === 0 || failure.status === 429 || failure.status >= 500;
    if (willPass) {
      const pause = 1_000 * Math.max(2, failure.retryAfterSeconds);
      setTimeout(() => wanted === asked && line.state === 'open' && host(), pause);
    } else {
      wanted = accepted;
    }
    showMe(true);
    const field = failure.code === 'invalid_tag' ? 'tags' : 'name';
    setText(byId(`${field}-error`), failure.message);
    byId(field).setAttribute('aria-invalid', 'true');
    showStatus();
  }
}

/** While the line is cut, the broker keeps the session; but no calls can be made over it. */
function isOnline() {
  return line.state === 'open' && isListed;
}

function showMe(editing) {
  const hadFocus = byId('me').contains(document.activeElement);
  byId('me').hidden = !editing;
  byId('me-now').hidden = editing;
  setText(byId('join'), accepted ? 'Save' : 'Join');
  if (editing) return;
  setText(byId('my-name'), wanted.name);
  setText(byId('my-tags'), wanted.tags.join(', '));
  if (hadFocus) byId('others-heading').focus();
}

function askForName(why) {
  showLobby();
  showMe(true);
  setText(byId('name-error'), why);
  byId('name').setAttribute('aria-invalid', 'true');
  byId('name').focus();
}

function clearErrors() {
  for (const field of ['name', 'tags']) {
    setText(byId(`${field}-error`), '');
    byId(field).removeAttribute('aria-invalid');
  }
}

// ---------------------------------------------------------------- the others

let filterTimer = 0;
byId('filter').addEventListener('input', () => {
  clearTimeout(filterTimer);
  filterTimer = setTimeout(() => roster.watch(byId('filter').value.trim()), 250);
});

function rosterChanged(snapshot) {
  const before = here;
  const isOnTheWay = snapshot.state === 'open' || snapshot.state === 'connecting';
  if (snapshot.filter !== before.filter && !snapshot.complete && isOnTheWay) return; // until then the old list stays
  here = snapshot;
  if (snapshot.complete && before.filter === snapshot.filter) {
    const there = new Set(snapshot.sessions.map(({ sid }) => sid));
    for (const { sid } of before.sessions) {
      if (!there.has(sid) && snapshot.filter === '') chats.departed(sid);
    }
  }
  showAll();
}

function choose(session) {
  const known = chats.with(session);
  if (known && known.state !== 'over') open(known);
  else if (!accepted) askForName(`Type a name first, so that ${nameOf(session)} knows who is calling.`);
  else if (!isOnline()) notice(`The broker is away: ${nameOf(session)} can be called when it is back.`);
  else if (!canConnect && session.metadata?.via !== 'broker') {
    notice('This browser has no WebRTC, or it is switched off: no direct connection can be made.');
  } else open(chats.meet(session));
}

// ---------------------------------------------------------------- chats

function chatChanged(chat) {
  if (chat === current) showChat();
  showAll();
}

function chatHeard(chat, text) {
  if (chat === current && isLookedAt()) chat.unread = 0;
  else announce(`${chat.name}: ${text}`);
}

/** Somebody has called and is connected: said wherever one looks. */
function chatCalled(chat) {
  if (chat === current && isLookedAt()) return;
  if (!incoming.includes(chat)) incoming.push(chat);
  announce(`${chat.name} has called you.`);
  showIncoming();
}

function chatClosed(chat) {
  logOf(chat).remove();
  looked(chat);
}

/** A call has turned out to be with a known peer. */
function chatMerged(chat, other) {
  chatClosed(chat);
  if (chat === current) open(other);
}

function open(chat) {
  current = chat;
  chats.shown = chat;
  chat.unread = 0;
  looked(chat);
  showRoom();
  showChat();
  showAll();
  byId('text').focus();
  logOf(current).scrollToEnd();
}

function looked(chat) {
  incoming = incoming.filter((each) => each !== chat);
  showIncoming();
}

function showIncoming() {
  const latest = incoming.at(-1);
  byId('incoming').hidden = !latest;
  if (!latest) return;
  setText(byId('incoming-name'), latest.name);
  setText(byId('incoming-more'), incoming.length > 1 ? `and ${incoming.length - 1} more have called you` : 'has called you');
}

byId('answer').addEventListener('click', () => open(incoming.at(-1)));

byId('later').addEventListener('click', () => {
  incoming = [];
  showIncoming();
});

// ---------------------------------------------------------------- the two views of a narrow screen

const narrow = matchMedia('(max-width: 44rem)');

/** Going to a chat is a step of the history, where it hides the list: the Back key leads back to that, not off the page. */
function showRoom() {
  if (narrow.matches && history.state?.view !== 'room') history.pushState({ view: 'room' }, '');
  document.body.dataset.view = 'room';
}

narrow.addEventListener('change', () => {
  if (document.body.dataset.view === 'room') showRoom(); // a phone that is turned
});

function showLobby() {
  document.body.dataset.view = 'lobby';
  if (history.state?.view === 'room') history.back();
}

addEventListener('popstate', ({ state }) => {
  document.body.dataset.view = state?.view === 'room' && current ? 'room' : 'lobby';
  if (current && isLookedAt()) current.unread = 0;
  showAll();
});

function isLookedAt() {
  return document.visibilityState === 'visible' && byId('chat').checkVisibility();
}

document.addEventListener('visibilitychange', () => {
  if (current && isLookedAt()) {
    current.unread = 0;
    showAll();
  }
});

byId('back').addEventListener('click', () => {
  showLobby();
  const key = current && String(current.id);
  for (const item of byId('chats').children) {
    if (item.dataset.key === key) item.firstChild.focus();
  }
});

byId('again').addEventListener('click', () => {
  const session = here.sessions.find((each) => chats.with(each) === current);
  if (!isOnline()) setText(byId('chat-state'), `The broker is away: ${current.name} can be called when it is back.`);
  else if (session) open(chats.meet(session));
  else {
    chats.again(current);
    byId('text').focus();
  }
});

byId('end').addEventListener('click', () => {
  const chat = current;
  current = null;
  chats.shown = null;
  chats.close(chat);
  showLobby();
  showChat();
  showAll();
  byId('others-heading').focus();
});

byId('compose').addEventListener('submit', (event) => {
  event.preventDefault();
  const box = byId('text');
  const text = box.value.trim();
  if (!text) return;
  box.value = '';
  chats.say(current, text);
  logOf(current).scrollToEnd();
});

byId('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('compose').requestSubmit();
});

// ---------------------------------------------------------------- showing it

function showAll() {
  showStatus();
  const others = here.sessions.filter(({ sid }) => !chats.isMine(sid));
  const stale = here.state !== 'open';
  byId('others').dataset.stale = stale;
  showList(byId('others'), others, ({ sid }) => sid, makePerson, (item, session) => {
    const chat = chats.with(session);
    const what = session.metadata?.via === 'broker' ? 'a service' : chat && chat.state !== 'over' ? 'in a chat with you' : '';
    fillPerson(item, nameOf(session), tagsOf(session), what, 0);
    item.firstChild.onclick = () => choose(session);
  });
  setText(byId('others-empty'), emptyWords(here, others.length === 0));
  setText(byId('filter-error'), here.state === 'refused' ? here.detail : '');

  byId('chats-part').hidden = chats.all.length === 0;
  showList(byId('chats'), chats.all, ({ id }) => id, makePerson, (item, chat) => {
    fillPerson(item, chat.name, '', chat === current && chat.unread === 0 ? '' : briefly(chat), chat.unread);
    item.dataset.state = chat.state;
    item.firstChild.setAttribute('aria-current', String(chat === current));
    item.firstChild.onclick = () => open(chat);
  });
  const unread = chats.all.reduce((sum, chat) => sum + chat.unread, 0);
  document.title = unread ? `(${unread}) Peerbroker` : 'Peerbroker';
}

function tagsOf({ tags }) {
  return Array.isArray(tags) ? tags.join(', ') : '';
}

function makePerson() {
  const name = make('bdi', { class: 'name' });
  const button = make('button', { type: 'button', class: 'person' },
    name, make('span', { class: 'tags' }), make('span', { class: 'what' }), make('span', { class: 'count' }));
  return make('li', {}, button);
}

function fillPerson(item, name, tags, what, count) {
  const [nameSpan, tagsSpan, whatSpan, countSpan] = item.firstChild.children;
  setText(nameSpan, name);
  setText(tagsSpan, tags);
  setText(whatSpan, what);
  setText(countSpan, count ? `${count} new` : '');
}

function showStatus() {
  const { state } = wanted ? line : here;
  byId('status').dataset.state = state;
  setText(byId('status-words'), statusWords({
    state,
    line,
    here,
    wantsToJoin: Boolean(wanted),
    hasJoined: isListed,
    hasOpenChats: chats.all.some((chat) => chat.link?.isOpen),
  }));
  byId('retry').hidden = state !== 'away' && state !== 'ended';
}

byId('retry').addEventListener('click', retry);
addEventListener('online', () => {
  roster.retry();
  if (wanted && line.state !== 'ended') broker.retry(); // after a farewell only when its user asks for it
});

function retry() {
  roster.retry();
  if (wanted) broker.retry();
}

function showChat() {
  byId('nobody').hidden = Boolean(current);
  byId('chat').hidden = !current;
  for (const chat of chats.all) logOf(chat).hidden = chat !== current;
  if (!current) return;
  setText(byId('chat-name'), current.name);
  setText(byId('chat-state'), chatWords(current));
  byId('chat').dataset.state = current.state;
  byId('again').hidden = current.state !== 'over' || current.viaBroker;
  logOf(current).update();
}

function logOf(chat) {
  if (!logs.has(chat)) logs.set(chat, new MessageLog(byId('logs'), chat, (said) => chats.sayAgain(chat, said)));
  return logs.get(chat);
}

/** For those who listen: what happens outside the part that is shown. */
function announce(words) {
  setText(byId('announcer'), words);
}

/** For everybody: why a click had no effect. */
function notice(words) {
  setText(byId('others-notice'), words);
}

// ---------------------------------------------------------------- coming and going

addEventListener('pagehide', () => {
  roster.leave();
  chats.hangUp();
  broker.close();
});

addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload(); // it came back from the history, with all its connections gone
});

roster.watch('');
showAll();
byId('join').disabled = false;
