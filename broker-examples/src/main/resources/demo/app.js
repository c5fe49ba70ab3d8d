/** The page: who you are, who is there, what you say and show to each other. */
import { briefly, byId, chatWords, make, nameOf, setText, showList, showLog, statusWords } from './view.js';

const load = (module) => import(module).catch((failure) => {
  setText(byId('status-words'), 'The server is away. Reload this page in a moment.');
  throw failure;
});
const { broker, camera, canCall, find, join, me, testPattern } = await load('./meet.js');
const { begin, chats, chatWith, close, departed, hangUp, meet, picturesOf, ring, say, share, stopSharing } = await load('./chats.js');

let wanted = null; // {name, tags} as typed
let joined = null; // the same, as the broker has taken it
let isAsking = false; // the broker, to take it
let line = { state: 'connecting' };
let list = { others: () => [], watch: null, filter: '', isReady: false };
let latest = null; // the list that was asked for last
let known = new Set(); // sids of the unfiltered list
let current = null; // the chat on view
let incoming = []; // chats that others have begun, still unread

const on = (id, type, listener) => byId(id).addEventListener(type, listener);

// ---------------------------------------------------------------- you

on('me', 'submit', (event) => {
  event.preventDefault();
  const name = byId('name').value.trim();
  const tags = byId('tags').value.split(',').map((tag) => tag.trim()).filter((tag) => tag);
  if (!name) return complain('name', 'Type a name, so that the others know who you are.');
  wanted = { name, tags };
  if (broker.state === 'closed') start();
  else host();
});
for (const field of ['name', 'tags']) on(field, 'input', clearErrors);
on('change', 'click', () => {
  showMe(true);
  byId('name').focus();
});

/**
 * Has the broker list what was typed, whenever it is there. One request at a time, or a page where Join is pressed twice would be
 * listed twice: what was typed meanwhile comes next.
 */
async function host() {
  if (isAsking) return;
  isAsking = true;
  const asked = wanted;
  clearErrors();
  showStatus();
  try {
    await join(asked.name, asked.tags);
    joined = asked;
    if (wanted === asked) showMe(false);
  } catch (failure) {
    if (broker.state === 'closed') return;
    if (wanted === asked) {
      if (failure.retryable || failure.code === 'unanswered') return setTimeout(() => wanted === asked && host(), 1_000 + failure.retryAfter * 1_000);
      wanted = joined;
      complain(failure.code === 'invalid_tag' ? 'tags' : 'name', failure.message);
      return showAll();
    }
  } finally {
    isAsking = false;
  }
  if (wanted !== asked) return host();
  showAll();
}

function showMe(isEdited) {
  const hadFocus = byId('me').contains(document.activeElement);
  byId('me').hidden = !isEdited;
  byId('me-now').hidden = isEdited;
  setText(byId('join'), joined ? 'Save' : 'Join');
  if (isEdited) return;
  setText(byId('my-name'), joined.name);
  setText(byId('my-tags'), joined.tags.join(', '));
  if (hadFocus) byId('others-heading').focus();
}

function complain(field, why) {
  remind(field, why, field);
  byId(field).setAttribute('aria-invalid', 'true');
}

function remind(field, why, next) {
  showLobby();
  showMe(true);
  setText(byId(`${field}-error`), why);
  byId(next).focus();
}

function clearErrors() {
  for (const field of ['name', 'tags']) {
    setText(byId(`${field}-error`), '');
    byId(field).removeAttribute('aria-invalid');
  }
}

// ---------------------------------------------------------------- the broker and the others

broker.addEventListener('state', ({ detail }) => {
  line = detail;
  if (detail.state === 'closed') me.session = joined = null;
  setText(byId('others-notice'), '');
  showAll();
});

/** Begins, or begins anew when the broker has ended it. */
function start() {
  broker.open();
  watch(list.filter);
  if (wanted) host();
}

/** Looks for others. The list before stays until there is the new one. */
function watch(filter) {
  const next = { ...find(filter, () => next === list && listed()), filter, isReady: false };
  const before = list;
  if (!before.watch || before.watch.error) list = next;
  latest = next;
  next.watch.ready.then(() => (next.isReady = true), () => {}).then(() => {
    if (latest !== next) return next.watch.close();
    if (before !== next) before.watch?.close();
    list = next;
    listed();
  });
}

function listed() {
  if (list.filter === '' && list.isReady && !list.watch.error) {
    const there = new Set(list.others().map(({ sid }) => sid));
    for (const sid of known) if (!there.has(sid) && line.state === 'open') departed(sid);
    known = there;
  }
  showAll();
}

let filterTimer = 0;
on('filter', 'input', () => {
  clearTimeout(filterTimer);
  filterTimer = setTimeout(() => watch(byId('filter').value.trim()), 250);
});
on('retry', 'click', () => (broker.state === 'closed' ? start() : broker.open()));

function choose(session) {
  const name = nameOf(session.metadata?.name);
  const chat = chatWith(session);
  if (chat && chat.state !== 'over') open(chat);
  else if (!wanted && !byId('name').value.trim()) complain('name', `Type a name first, so that ${name} knows who is calling.`);
  else if (!wanted) remind('name', `Press Join first, so that ${name} knows who is calling.`, 'join');
  else if (line.state !== 'open') setText(byId('others-notice'), `The broker is away: ${name} can be called when it is back.`);
  else if (!joined) setText(byId('others-notice'), `You are being signed in: ${name} can be called in a moment.`);
  else if (!canCall && session.metadata?.via !== 'broker') {
    setText(byId('others-notice'), 'This browser has no WebRTC, or it is switched off: no direct connection can be made.');
  } else open(meet(session));
}

// ---------------------------------------------------------------- chats

begin({
  shown: () => current,
  changed(chat) {
    if (chat === current) showChat();
    showAll();
  },
  heard(chat, text) {
    if (chat === current && isLookedAt()) chat.unread = 0;
    else setText(byId('announcer'), `${chat.name}: ${text}`);
  },
  called(chat) {
    if (chat === current && isLookedAt()) return;
    if (!incoming.includes(chat)) incoming.push(chat);
    setText(byId('announcer'), `${chat.name} has called you.`);
    showIncoming();
  },
  closed: looked,
  merged(chat, other) {
    looked(chat);
    if (chat === current) open(other);
  },
});

function open(chat) {
  current = chat;
  chat.unread = 0;
  looked(chat);
  showRoom();
  showChat();
  showAll();
  byId('text').focus();
  byId('log').scrollTop = byId('log').scrollHeight;
}

function looked(chat) {
  incoming = incoming.filter((each) => each !== chat);
  showIncoming();
}

function showIncoming() {
  const latestCall = incoming.at(-1);
  byId('incoming').hidden = !latestCall;
  if (!latestCall) return;
  setText(byId('incoming-name'), latestCall.name);
  setText(byId('incoming-more'), incoming.length > 1 ? `and ${incoming.length - 1} more have called you` : 'has called you');
}

on('answer', 'click', () => open(incoming.at(-1)));
on('later', 'click', () => {
  incoming = [];
  showIncoming();
});
on('again', 'click', () => {
  const session = list.others().find((each) => chatWith(each) === current);
  if (line.state !== 'open') setText(byId('chat-state'), `The broker is away: ${current.name} can be called when it is back.`);
  else if (session) open(meet(session));
  else ring(current);
});
on('end', 'click', () => {
  const chat = current;
  current = null;
  close(chat);
  showLobby();
  showChat();
  showAll();
  byId('others-heading').focus();
});
on('compose', 'submit', (event) => {
  event.preventDefault();
  const text = byId('text').value.trim();
  byId('text').value = '';
  if (text) say(current, text);
  byId('log').scrollTop = byId('log').scrollHeight;
});
on('text', 'keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('compose').requestSubmit();
});

// ---------------------------------------------------------------- pictures

async function show(source) {
  const chat = current;
  try {
    const stream = await source();
    if (chat.state === 'connected' || chat.state === 'wavering') share(chat, stream);
    else for (const track of stream.getTracks()) track.stop();
  } catch {
    setText(byId('media-error'), 'There is no camera here, or it may not be used. The test pattern needs none.');
  }
}
on('camera', 'click', () => show(camera));
on('pattern', 'click', () => show(testPattern));
on('stop', 'click', () => {
  stopSharing();
  byId('camera').focus();
});

function play(video, stream) {
  if (video.srcObject === stream) return;
  video.srcObject = stream;
  video.hidden = !stream;
  // Without a click on this page a browser may refuse to play sound.
  if (stream) video.play().catch(() => {
    video.muted = true;
    video.play().catch(() => {});
  });
}

// ---------------------------------------------------------------- the two views of a narrow screen

const narrow = matchMedia('(max-width: 44rem)');

/** Going to a chat is a step of the history, where it hides the list: the Back key leads back to that, not off the page. */
function showRoom() {
  if (narrow.matches && history.state?.view !== 'room') history.pushState({ view: 'room' }, '');
  document.body.dataset.view = 'room';
}
narrow.addEventListener('change', () => document.body.dataset.view === 'room' && showRoom()); // a phone that is turned

function showLobby() {
  document.body.dataset.view = 'lobby';
  if (history.state?.view === 'room') history.back();
}
addEventListener('popstate', ({ state }) => {
  document.body.dataset.view = state?.view === 'room' && current ? 'room' : 'lobby';
  seen();
});
on('back', 'click', () => {
  showLobby();
  byId('chats').querySelector('[aria-current="true"]')?.focus();
});

const isLookedAt = () => document.visibilityState === 'visible' && byId('chat').checkVisibility();

function seen() {
  if (current && isLookedAt()) current.unread = 0;
  showAll();
}
document.addEventListener('visibilitychange', seen);
addEventListener('pagehide', ({ persisted }) => persisted || hangUp());

// ---------------------------------------------------------------- showing it

function showAll() {
  showStatus();
  const others = list.others();
  const error = list.watch?.error;
  byId('others').dataset.stale = line.state !== 'open';
  showList(byId('others'), others, ({ sid }) => sid, makePerson, (item, session) => {
    const chat = chatWith(session);
    const what = session.metadata?.via === 'broker' ? 'a service' : chat && chat.state !== 'over' ? 'in a chat with you' : '';
    fillPerson(item, nameOf(session.metadata?.name), Array.from(session.tags).join(', '), what, 0, () => choose(session));
  });
  setText(byId('others-empty'), others.length || !list.isReady || error ? ''
    : list.filter ? 'Nobody with these tags.' : 'Nobody else yet. Open this page in a second tab, or on a second device.');
  setText(byId('filter-error'), error && line.state !== 'closed' ? error.message : '');

  byId('chats-part').hidden = chats.length === 0;
  showList(byId('chats'), chats, ({ id }) => id, makePerson, (item, chat) => {
    fillPerson(item, chat.name, '', chat === current && chat.unread === 0 ? '' : briefly(chat), chat.unread, () => open(chat));
    item.dataset.state = chat.state;
    item.firstChild.setAttribute('aria-current', String(chat === current));
  });
  const unread = chats.reduce((sum, chat) => sum + chat.unread, 0);
  document.title = unread ? `(${unread}) Peerbroker` : 'Peerbroker';
}

function makePerson() {
  return make('li', {}, make('button', { type: 'button', class: 'person' }, make('bdi', { class: 'name' }),
    make('span', { class: 'tags' }), make('span', { class: 'what' }), make('span', { class: 'count' })));
}

function fillPerson(item, name, tags, what, count, chosen) {
  [name, tags, what, count ? `${count} new` : ''].forEach((text, index) => setText(item.firstChild.children[index], text));
  item.firstChild.onclick = chosen;
}

function showStatus() {
  byId('status').dataset.state = line.state;
  const hasOpenChats = chats.some(({ peer, state }) => peer && state === 'connected');
  setText(byId('status-words'), statusWords(line, joined && joined === wanted, Boolean(wanted), hasOpenChats));
  byId('retry').hidden = line.state !== 'away' && line.state !== 'closed';
}

function showChat() {
  byId('nobody').hidden = Boolean(current);
  byId('chat').hidden = !current;
  if (!current) return play(byId('theirs'), null), play(byId('mine'), null);
  const { mine, theirs } = picturesOf(current);
  const isConnected = Boolean(current.peer) && current.state === 'connected';
  setText(byId('chat-name'), current.name);
  setText(byId('chat-state'), chatWords(current));
  byId('chat').dataset.state = current.state;
  byId('again').hidden = current.state !== 'over' || current.viaBroker;
  byId('tools').hidden = !isConnected && !mine;
  byId('camera').hidden = byId('pattern').hidden = Boolean(mine);
  byId('stop').hidden = !mine;
  byId('stage').hidden = !mine && !theirs;
  if (mine) setText(byId('media-error'), '');
  play(byId('theirs'), theirs);
  play(byId('mine'), mine);
  byId('log').setAttribute('aria-label', `Messages with ${current.name}`);
  byId('theirs').setAttribute('aria-label', `The picture of ${current.name}`);
  if (byId('log').dataset.chat !== String(current.id)) byId('log').firstElementChild.replaceChildren();
  byId('log').dataset.chat = current.id;
  showLog(byId('log'), current, (said) => say(current, said.text, said));
}

start();
showAll();
byId('join').disabled = false;
