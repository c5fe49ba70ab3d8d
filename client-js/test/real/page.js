/** What a page of the tests does, told by its test: all that it says is JSON. */
import { Broker } from '../../client/broker.js';
import { Peer } from '../../client/peer.js';

let broker;
let session;
let peer;
let track;
const events = [];
const heard = [];

export function until(holds, what = holds, milliseconds = 20_000) {
  const end = performance.now() + milliseconds;
  return new Promise((resolve, reject) => {
    (function look() {
      const value = holds();
      if (value) resolve(value);
      else if (performance.now() > end) reject(new Error(`In vain: ${what}. Events: ${events.join(', ')}. Peer: ${peer?.state}`));
      else setTimeout(look, 10);
    })();
  });
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

export async function open(url, metadata) {
  broker = new Broker(url);
  broker.addEventListener('state', ({ detail: { state, error } }) => note(`broker ${state} ${error?.code ?? ''}`));
  broker.addEventListener('channel', ({ detail: { resumed, lost } }) => note(`channel resumed ${resumed} lost ${lost}`));
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

/** Milliseconds to the other side and back. */
export async function ping() {
  const start = performance.now();
  const count = heard.length;
  await peer.send('ping');
  await until(() => heard.length > count, 'a pong');
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
export function paint(colour) {
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

export const target = () => peer.target;
export const fingerprint = () => peer.fingerprint;
export const isSame = (function remember() {
  let known;
  return (isNew) => (isNew ? (known = peer.connection) && true : known === peer.connection);
})();
export const log = () => events;
