/** What a page of the tests does, told by its test: all that it says is JSON. */
import { Broker } from '../../client/broker.js';
import { Peer } from '../../client/peer.js';
import { Room } from '../../client/room.js';
import { until as waitFor } from '../tools/waiting.js';

let broker;
let session;
let peer;
let track;
const events = [];
const heard = [];

function until(holds, what, milliseconds) {
  return waitFor(holds, () => {
    const { connectionState, signalingState } = peer?.connection ?? {};
    return `${what}. Peer: ${peer?.state} ${connectionState} ${signalingState}`;
  }, milliseconds);
}

const note = (text) => events.push(`${Math.round(performance.now())} ${text}`);

function follow(one) {
  peer = one;
  one.addEventListener('state', ({ detail }) => note(`peer ${detail}`));
  one.addEventListener('connection', () => note('fresh connection'));
  one.addEventListener('message', ({ detail }) => {
    if (detail === 'ping') one.send('pong');
    else heard.push(detail);
  });
  one.addEventListener('track', ({ detail }) => {
    track = detail.track;
    note('track');
  });
  one.closed.then((error) => note(`closed ${error?.code}: ${error?.message}`));
  return one;
}

function connect(url, options) {
  broker = new Broker(url, options);
  broker.addEventListener('state', ({ detail: { state, error } }) => {
    states.push({ state, at: Date.now() });
    note(`broker ${state} ${error?.code ?? ''}`);
  });
  broker.addEventListener('message', ({ detail: { message } }) => received.push(message));
  broker.addEventListener('channel', ({ detail: { resumed, lost } }) => note(`channel resumed ${resumed} lost ${lost}`));
}

export async function open(url, metadata, options) {
  connect(url, options);
  Peer.answer(broker, (call) => follow(call.accept()));
  session = await broker.host({ tags: ['test'], listed: true, metadata });
  return session.sid;
}

/** Calls, and resolves with the milliseconds since the page was loaded. */
export async function call(target, options) {
  await follow(Peer.call(broker, target, { origin: session, ...options })).opened;
  return performance.now();
}

/** A second direction, or both: as soon as the other side has called, or called itself. */
export const opened = () => until(() => peer, 'a call').then((one) => one.opened).then(({ state }) => state);

/** Milliseconds to the other side and back. What a connection that failed had not delivered is said again on the fresh one. */
export async function ping() {
  const start = performance.now();
  const count = heard.length;
  let { connection } = peer;
  await peer.send('ping');
  await until(() => {
    if (connection !== peer.connection) {
      ({ connection } = peer);
      peer.send('ping');
    }
    return heard.length > count;
  }, 'a pong', 40_000); // a dead path is noticed after about 20 seconds
  return performance.now() - start;
}

const ufrag = () => /ice-ufrag:(\S+)/.exec(peer.connection.localDescription.sdp)[1];
let earlier;

/** Remembers the path, and looks for another. */
export function restart() {
  earlier = ufrag();
  return peer.restart();
}

export const remember = () => {
  earlier = ufrag();
};

/** Resolves once there has been an ICE restart, and no exchange is under way. */
export const restarted = () => until(
  () => peer.connection.signalingState === 'stable' && peer.state === 'connected' && ufrag() !== earlier,
  'a restart',
);

export async function hangUp() {
  const closing = peer;
  await closing?.close();
  peer = track = undefined;
}

export const ended = () => peer.closed.then((error) => {
  peer = track = undefined;
  return error?.code;
});

/** Moving pictures: a canvas of this colour. */
function paint(colour) {
  const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
  const context = canvas.getContext('2d');
  let frame = 0;
  setInterval(() => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 160, 120);
    context.fillStyle = 'black';
    context.fillRect(frame++ % 150, 110, 10, 10);
  }, 50);
  return canvas.captureStream(20);
}

export const callWithVideo = (target, colour) => call(target, { tracks: paint(colour) });

export function addVideo(colour) {
  const stream = paint(colour);
  peer.addTrack(stream.getTracks()[0], stream);
}

let stream;

export function addTrack() {
  stream ??= paint('blue');
  peer.addTrack(stream.getTracks()[0], stream);
}

export function removeTrack() {
  const [own] = stream.getTracks();
  for (const sender of peer.connection.getSenders()) if (sender.track === own) peer.connection.removeTrack(sender);
}

const isStable = () => peer.connection.signalingState === 'stable';
export const tracked = () => until(() => track && isStable(), 'a track').then(() => true);

/** No section receives, once the other side has taken its track back. */
export const untracked = () => until(
  () => isStable() && peer.connection.getTransceivers().every(({ currentDirection }) => !/send|recv/.test(currentDirection)),
  'no track',
).then(() => true);

export const forgetTrack = () => {
  track = undefined;
};

/** The colour in the middle of what the other side shows, once it is of this kind. */
export async function sees([red, green, blue]) {
  await until(() => track, 'a track');
  const video = Object.assign(document.createElement('video'), { srcObject: new MediaStream([track]), muted: true });
  document.body.append(video);
  video.play().catch((error) => note(`play ${error}`));
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const isNear = (one, other) => Math.abs(one - other) < 60;
  return until(() => {
    if (!video.videoWidth) return false;
    context.drawImage(video, 80, 40, 1, 1, 0, 0, 1, 1);
    const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
    return isNear(r, red) && isNear(g, green) && isNear(b, blue) && `${video.videoWidth}x${video.videoHeight}`;
  }, 'a picture');
}

export const list = async () => {
  const sids = [];
  for await (const { sid } of broker.list('test', { limit: 1 })) sids.push(sid);
  return sids.sort();
};

export const broken = () => until(() => broker.state === 'away', 'the broker away');

/** Resolves with the new address of the session. */
export async function moved(was) {
  await until(() => session.sid !== was && broker.state === 'open', 'a new address', 40_000);
  return { sid: session.sid, at: Date.now() };
}

export const fingerprint = () => peer.fingerprint;
export const isSame = (function remember() {
  let known;
  return (isNew) => (isNew ? (known = peer.connection) && true : known === peer.connection);
})();
export const log = () => events;

const states = [];
const received = [];
let sending;

/** Sends numbers to a session, one every 100 ms, until `stopSending` resolves with how many there were. */
export function startSending(to) {
  let count = 0;
  const sends = [];
  const timer = setInterval(() => sends.push(broker.send(to, count++, { origin: session.sid })), 100);
  sending = async () => {
    clearInterval(timer);
    await Promise.all(sends);
    return count;
  };
}

/** Resolves with what became of it. */
export const sendOnce = (to) => broker.send(to, 'once', { origin: session.sid }).then(({ delivery }) => delivery, ({ code }) => code);

export const stopSending = () => sending();

/** Waits for so many numbers from the broker; resolves with whether they are all of them, in order and once each. */
export async function receivedAll(count) {
  await until(() => received.length >= count, `${count} messages, not ${received.length}`, 40_000);
  return received.splice(0).every((number, i) => number === i);
}

/** Waits for an open channel after that time; resolves with milliseconds since. */
export async function openAfter(time) {
  const isOpen = () => states.find(({ state, at }) => state === 'open' && at >= time);
  await until(isOpen, 'an open channel', 60_000);
  return isOpen().at - time;
}

/** The watch of everything with the tag. */
let watched;
export const watch = (filter) => {
  watched = broker.watch(filter);
  return watched.ready;
};

const text = (sessions) => JSON.stringify(sessions.map(({ sid, tags, metadata }) => [sid, tags, metadata]).sort());

/** Waits until the watch shows what a list does. */
export async function showsList(filter) {
  const end = performance.now() + 20_000;
  for (;;) {
    const sessions = [];
    for await (const one of broker.list(filter)) sessions.push(one);
    if (text(sessions) === text(watched.snapshot)) return sessions.length;
    if (performance.now() > end) throw new Error(`The watch shows ${text(watched.snapshot)}, the list ${text(sessions)}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const tracks = new Map(); // name → track
const greeted = new Map(); // name → how often
const gone = [];
let room;
let kept;

const nameOf = ({ metadata }) => metadata.name;
const sorted = (some) => [...some].sort().join();

/** Joins a room with video, as this name. */
export async function enter(url, name, options) {
  connect(url, options);
  room = new Room(broker, 'party', { metadata: { name }, tracks: paint('green') });
  room.addEventListener('join', ({ detail: member }) => {
    note(`join ${nameOf(member)}`);
    member.peer.addEventListener('message', () => greeted.set(nameOf(member), 1 + (greeted.get(nameOf(member)) ?? 0)));
    member.peer.addEventListener('state', ({ detail }) => note(`${nameOf(member)} ${detail}`));
    member.peer.closed.then((error) => note(`${nameOf(member)} closed ${error?.code}: ${error?.message}`));
  });
  room.addEventListener('leave', ({ detail }) => {
    note(`leave ${nameOf(detail)}`);
    gone.push(nameOf(detail));
  });
  room.addEventListener('track', ({ detail }) => tracks.set(nameOf(detail.member), detail.track));
  await room.ready;
}

const checks = {
  drops: ({ name }) => ({ name }),
  refuses(json) {
    if (Object.keys(json).join() !== 'name') throw new TypeError('Something else than a name.');
    return json;
  },
};

/** Why a room has closed whose broker checks metadata so. */
export async function endOfRoom(url, check) {
  connect(url, { check: { metadata: checks[check] } });
  room = new Room(broker, 'party', { metadata: { name: 'Ada' } });
  const { code, message } = await room.closed;
  return `${code}: ${message}`;
}

/** Waits until these are the members, or, with `atLeast`, among them. */
export const meets = (names, atLeast) => until(() => {
  const present = room.members.filter(({ peer: { state } }) => state === 'connected').map(nameOf);
  return atLeast ? names.every((name) => present.includes(name)) : sorted(present) === sorted(names);
}, `the members ${names}`, 40_000);

/** Says hello to each, and waits until each has said so. */
export async function greets(names) {
  await Promise.all(room.members.map(({ peer: one }) => one.send('hello')));
  await until(() => names.every((name) => greeted.get(name) > 0), 'a greeting of each');
  for (const name of names) greeted.set(name, greeted.get(name) - 1);
}

/** Waits until each one's video plays. */
export async function seesMembers(names) {
  for (const name of names) {
    await until(() => tracks.get(name), `a track of ${name}`);
    track = tracks.get(name);
    await sees([0, 128, 0]);
  }
}

export const left = () => gone;

export const keepConnections = () => {
  kept = room.members.map(({ peer: one }) => one.connection);
};

export const keptConnections = () => kept.every((one) => room.members.some(({ peer: { connection } }) => connection === one));

const violated = [];
export const watchPolicy = () => {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violated.push(effectiveDirective));
};
export const violations = () => violated;
export const reach = (url) => fetch(url).then(({ status }) => `${status}`, String);

/** Over which protocols the broker was spoken to. */
export const protocols = () => [...new Set(performance.getEntriesByType('resource')
  .filter(({ name, nextHopProtocol }) => name.includes('/broker') && nextHopProtocol).map(({ nextHopProtocol }) => nextHopProtocol))];

/** Why there is no channel yet. */
export function refusal(url, options) {
  const trying = new Broker(url, options);
  return new Promise((resolve) => {
    trying.addEventListener('state', ({ detail: { error } }) => error && resolve(error.code));
    trying.open();
  }).finally(() => trying.close());
}
