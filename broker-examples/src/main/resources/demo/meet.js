/** All that this page does with the client: to be found, to find, to call and to be called. Copy from here. */
const { broker: mount } = await (await fetch('config.json')).json();
// The broker serves its client. From npm it is: import { Broker, Peer, identity } from '@peerbroker/client';
const { Broker, Peer, identity } = await import(`${mount}/client.js`);

export const broker = new Broker(mount);
export const canCall = 'RTCPeerConnection' in globalThis;

/** This page as the others see it: one certificate for all calls, so that a peer knows it again after a new start of the broker. */
export const me = { session: null, name: '', ...(canCall ? await identity() : { fingerprint: String(Math.random()) }) };

/** Lets the others find this page by its tags; again with other values later on. */
export async function join(name, tags) {
  const spec = { tags, listed: true, metadata: { name, fingerprint: me.fingerprint } };
  if (me.session) await me.session.update(spec);
  else me.session = await broker.host(spec);
  me.name = name;
}

/** Watches who is there. A session of this page is none of the others, also before the broker has said that it is its own. */
export function find(filter, changed) {
  const watch = broker.watch(filter);
  watch.subscribe(changed);
  const others = () => watch.snapshot.filter(({ own, metadata }) => !own && metadata?.fingerprint !== me.fingerprint);
  return { watch, others };
}

/** Calls a session. */
export function call(sid) {
  const { certificates, session, name } = me;
  return Peer.call(broker, sid, { rtc: { certificates }, origin: session, call: { name }, answerWithin: 60_000 });
}

/** Is called with each peer that calls, and the name that it gives. */
export function answer(listener) {
  Peer.answer(broker, (ringing) => {
    if (ringing.to !== me.session?.sid) return false;
    listener(ringing.accept({ rtc: { certificates: me.certificates } }), ringing.call?.name);
  });
}

export function camera() {
  return navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true });
}

/** A picture that moves and a soft tone, for those without a camera. It ends with its tracks. */
export function testPattern() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const context = canvas.getContext('2d');
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const draw = () => {
    ['#c9c4b8', '#c8b23a', '#3f9fa0', '#4f9a53', '#a65b9c', '#b04a3a', '#3d5a9e'].forEach((colour, i) => {
      context.fillStyle = colour;
      context.fillRect(Math.floor(i * 640 / 7), 0, 92, 360);
    });
    context.fillStyle = '#151513';
    context.fillRect(0, 252, 640, 108);
    context.fillStyle = '#fbfaf6';
    context.font = '500 34px Georgia, serif';
    context.fillText(`${me.name} · ${new Date().toLocaleTimeString()}`, 32, 318, 576);
    if (!isStill) context.fillRect(Date.now() / 8 % 640, 252, 6, 108);
  };
  draw();
  const timer = setInterval(() => (video.readyState === 'live' ? draw() : end()), isStill ? 1_000 : 66);
  const sound = new AudioContext();
  const tone = new OscillatorNode(sound, { frequency: 440 });
  const out = sound.createMediaStreamDestination();
  tone.connect(new GainNode(sound, { gain: 0.02 })).connect(out);
  tone.start();
  const [video] = canvas.captureStream(15).getTracks();
  const end = () => {
    clearInterval(timer);
    sound.close();
  };
  return new MediaStream([video, ...out.stream.getTracks()]);
}
