/**
 * The chats of this page, and what was said. Over a peer's data channel goes `{text}`; a party that has no WebRTC (`"via": "broker"`
 * in its metadata) gets `{name, text}` through the broker.
 *
 * Whatever is published or sent through the broker, names and fingerprints too, anybody can copy. So a call belongs to no chat
 * before DTLS has proved who is at its other end; then it belongs to the chat of that certificate, or begins a new one.
 */
import { answer, broker, call, canCall, me } from './meet.js';
import { connectedWords, endingWords, failureWords, nameOf } from './view.js';

const MOST_CHATS = 50;
const MOST_CALLERS = 12; // that have not connected yet
const MOST_LINES = 500;
const LONGEST_LINE = 8_000;

/** {id, name, address, viaBroker, state, peer, fingerprint, lines, unread, isAway}; the state is a Peer's, or `over`. */
export const chats = [];
const callers = new Set(); // peers that have called, the oldest first, until they are connected
const streams = new WeakMap(); // peer → what it shows
let sharing = null; // {chat, stream, senders}: what this page shows
let ids = 0; // of chats and lines
let on;

/**
 * Begins to take calls. Calls `changed(chat)` after every change, `heard(chat, text)`, `called(chat)` when a caller is connected,
 * `closed(chat)`, and `merged(chat, other)` when two chats turn out to be with the same peer. `shown()` returns the chat on view.
 */
export function begin(listeners) {
  on = listeners;
  if (canCall) answer(rung);
  broker.addEventListener('message', ({ detail }) => written(detail));
}

/**
 * The chat with a listed session, if there is one: by the address, which the broker vouches for. After a new start of the broker
 * the peer has said which address it has now, and the session must show the peer's fingerprint: either alone can be made up.
 */
export function chatWith({ sid, metadata }) {
  return chats.find(({ address }) => address === sid)
    ?? chats.find(({ peer, fingerprint }) => fingerprint && peer?.target === sid && metadata?.fingerprint === fingerprint);
}

/** Opens the chat with a listed session, or opens it again. */
export function meet(session) {
  const chat = chatWith(session) ?? add(session.sid, nameOf(session.metadata?.name), session.metadata?.via === 'broker');
  chat.address = session.sid;
  if (!chat.viaBroker && !chat.peer) ring(chat);
  return chat;
}

export function ring(chat) {
  Object.assign(chat, { peer: call(chat.address), state: 'calling', isAway: false });
  follow(chat.peer, chat.name);
  // Its delivery says whether that page is there.
  broker.send(chat.address, { ringing: true }, { origin: me.session.sid }).then(({ delivery }) => {
    chat.isAway = delivery === 'queued' && chat.state === 'calling';
    on.changed(chat);
  }, () => {});
  on.changed(chat);
}

/** Says something, or says a line again that failed. */
export async function say(chat, text, line = write(chat, 'me', text)) {
  line.state = 'sending';
  on.changed(chat);
  try {
    const message = { name: me.name, text };
    if (chat.viaBroker) await broker.send(chat.address, message, { origin: me.session.sid, within: 5_000 });
    else await chat.peer.send(JSON.stringify({ text }));
    line.state = 'sent';
  } catch (failure) {
    Object.assign(line, { state: 'failed', why: chat.peer || chat.viaBroker ? failureWords(failure, chat.name) : `${chat.name} is gone.` });
  }
  on.changed(chat);
}

/** Ends a chat and forgets it. */
export function close(chat) {
  if (sharing?.chat === chat) stopSharing();
  chats.splice(chats.indexOf(chat), 1);
  chat.peer?.close();
  on.closed(chat);
}

/** Ends all calls, so that the others know at once. */
export function hangUp() {
  for (const peer of [...callers, ...chats.map((chat) => chat.peer)]) peer?.close();
}

/** The list says that a session is gone. A connection may live on; a call that still rings is in vain. */
export function departed(sid) {
  for (const chat of chats) if (chat.address === sid && chat.state === 'calling') over(chat, 'left');
}

/** Shows a camera or a test pattern in a chat, and in no other. */
export function share(chat, stream) {
  stopSharing();
  sharing = { chat, stream, senders: stream.getTracks().map((track) => chat.peer.addTrack(track, stream)) };
  on.changed(chat);
}

export function stopSharing() {
  if (!sharing) return;
  const { chat, stream, senders } = sharing;
  sharing = null;
  for (const track of stream.getTracks()) track.stop();
  const { connection } = chat.peer ?? {};
  const live = connection && connection.signalingState !== 'closed' ? connection.getSenders() : [];
  for (const sender of senders) if (live.includes(sender)) connection.removeTrack(sender);
  on.changed(chat);
}

/** What a chat shows: the own picture and the other side's, each a MediaStream or null. */
export function picturesOf(chat) {
  return { mine: sharing?.chat === chat ? sharing.stream : null, theirs: streams.get(chat.peer) ?? null };
}

function add(address, name, viaBroker) {
  const chat = { id: ++ids, address, name, viaBroker, state: viaBroker ? 'connected' : 'calling',
    peer: null, fingerprint: null, lines: [], unread: 0, isAway: false };
  chats.push(chat);
  return chat;
}

/** Whether one more chat may begin by itself. What gives way is not on view, and nothing was written in it here. */
function hasRoom() {
  if (chats.length < MOST_CHATS) return true;
  const idle = chats.find((chat) => chat !== on.shown() && (chat.state === 'over' || chat.viaBroker)
    && !chat.lines.some(({ from }) => from === 'me'));
  if (idle) close(idle);
  return Boolean(idle);
}

/** A stranger calls. The oldest call that gets nowhere makes room, and is told so: it is junk, most likely. */
function rung(peer, name) {
  if (callers.size >= MOST_CALLERS) {
    const [oldest] = callers;
    callers.delete(oldest);
    oldest.close('busy');
  }
  callers.add(peer);
  follow(peer, nameOf(name));
}

function follow(peer, name) {
  const itsChat = () => chats.find((chat) => chat.peer === peer);
  const changed = () => itsChat() && on.changed(itsChat());
  peer.addEventListener('state', ({ detail: state }) => {
    if (itsChat() && state !== 'closed') itsChat().state = state;
    changed();
  });
  peer.addEventListener('message', ({ detail }) => {
    const text = textIn(detail);
    if (itsChat() && text !== null) heard(itsChat(), text);
  });
  peer.addEventListener('track', ({ detail: { streams: [stream] } }) => {
    if (!stream) return;
    streams.set(peer, stream);
    stream.onremovetrack = () => {
      if (!stream.getTracks().length && streams.get(peer) === stream) streams.delete(peer);
      changed();
    };
    changed();
  });
  peer.opened.then(() => proved(peer, name), () => {});
  peer.closed.then((error) => {
    callers.delete(peer);
    if (itsChat()) over(itsChat(), error?.code, error?.cause);
  });
}

/** It is proven who is at the other end, so it is known whose chat it is. */
function proved(peer, name) {
  const { fingerprint, target: address } = peer;
  const own = chats.find((chat) => chat.peer === peer); // that this page has called from
  const hasCalled = callers.delete(peer);
  if (!own && !hasCalled) return;
  if (!fingerprint) return peer.close(); // it shows two certificates, so it may be anybody
  let chat = chats.find((each) => each.fingerprint === fingerprint) ?? (own?.fingerprint === null ? own : null);
  if (!chat && !hasRoom()) return peer.close('busy');
  chat ??= add(address, name, false);
  if (own && own !== chat) disown(own, chat);
  const before = chat.peer;
  Object.assign(chat, { peer, address, fingerprint, state: 'connected', isAway: false });
  if (before !== peer) before?.close();
  write(chat, 'note', connectedWords(chat.name, chats.some((each) => each !== chat && each.name === chat.name)));
  if (hasCalled) on.called(chat);
  on.changed(chat);
}

/** A call from a chat has reached the peer of another one. */
function disown(chat, other) {
  chat.peer = null;
  if (chat.fingerprint !== null) return over(chat, 'another');
  other.lines.push(...chat.lines);
  chats.splice(chats.indexOf(chat), 1);
  on.merged(chat, other);
}

function over(chat, reason, cause) {
  if (sharing?.chat === chat) stopSharing();
  const { peer } = chat;
  Object.assign(chat, { peer: null, state: 'over', isAway: false });
  peer?.close();
  write(chat, 'note', cause ? failureWords(cause, chat.name) : endingWords(reason, chat.name));
  on.changed(chat);
}

/** Somebody without WebRTC writes through the broker. */
function written({ origin, target, message }) {
  const text = textIn(message);
  let chat = chats.find(({ address }) => address === origin);
  if (target !== me.session?.sid || text === null || (chat && !chat.viaBroker) || (!chat && !hasRoom())) return;
  chat ??= add(origin, nameOf(message.name), true);
  heard(chat, text);
}

function heard(chat, text) {
  const line = write(chat, 'them', text.slice(0, LONGEST_LINE));
  chat.unread++;
  on.heard(chat, line.text);
  on.changed(chat);
}

function write(chat, from, text) {
  const line = { id: ++ids, from, text, at: new Date() };
  chat.lines.push(line);
  if (chat.lines.length > MOST_LINES) chat.lines.shift();
  return line;
}

/** The text of a message, which may be anything; null if it has none. */
function textIn(message) {
  try {
    const { text } = typeof message === 'string' ? JSON.parse(message) : message;
    return typeof text === 'string' ? text : null;
  } catch {
    return null;
  }
}
