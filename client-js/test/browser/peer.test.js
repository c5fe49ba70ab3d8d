import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openChromium, withoutChromium } from '../tools/chromium.js';

const options = { skip: withoutChromium, timeout: 60_000 };
let chromium;

before(async () => {
  if (withoutChromium) return;
  chromium = await openChromium();
  await chromium.page.evaluate(async () => {
    const { Peer } = await import('/client/peer.js');
    const { FakeWorld } = await import('/test/tools/fake-world.js');
    const rejections = [];
    addEventListener('unhandledrejection', ({ reason }) => rejections.push(String(reason)));
    Object.assign(globalThis, { Peer, FakeWorld, rejections });
    /** The latest channel of each connection over which peers negotiate. */
    globalThis.controls = new Map();
    const { createDataChannel } = RTCPeerConnection.prototype;
    RTCPeerConnection.prototype.createDataChannel = function create(label, ...values) {
      const channel = createDataChannel.call(this, label, ...values);
      if (label === 'peerbroker') {
        controls.set(this, channel);
        channel.heard = [];
        channel.addEventListener('message', ({ data }) => channel.heard.push(JSON.parse(data)));
      }
      return channel;
    };
    globalThis.until = async (holds, what = String(holds)) => {
      const end = performance.now() + 15_000;
      for (;;) {
        const value = await holds();
        if (value) return value;
        if (performance.now() > end) throw new Error(`In vain: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    /** Resolves once each of two peers knows by which certificate the other will come back. */
    globalThis.known = (...peers) => until(() => peers.every(({ connection }) => controls.get(connection).heard.some(({ next }) => next)), 'next');
    /** Has a peer take a fresh connection: only a broken negotiation is quick enough for a test. */
    globalThis.breakDown = (peer) => {
      const { connection } = peer;
      connection.createOffer = () => Promise.reject(new Error('Broken.'));
      Object.defineProperty(connection, 'connectionState', { get: () => 'failed' });
      connection.dispatchEvent(new Event('connectionstatechange'));
      peer.restart();
    };
    /** Two peers, connected. */
    globalThis.pair = async (options, answerOptions) => {
      const world = new FakeWorld();
      const [ada, bob] = [world.broker('ada'), world.broker('bob')];
      const accepted = new Promise((resolve) => Peer.answer(bob, (call) => resolve(call.accept(answerOptions))));
      const caller = Peer.call(ada, bob.cid, options);
      const answerer = await accepted;
      await Promise.all([caller.opened, answerer.opened]);
      return { world, ada, bob, caller, answerer };
    };
    globalThis.heard = (target, type, holds = () => true) => new Promise((resolve) => {
      target.addEventListener(type, ({ detail }) => holds(detail) && resolve(detail));
    });
  });
});

after(() => chromium?.close());

function inPage(name, body, expected) {
  test(name, options, async () => assert.deepEqual(await chromium.page.evaluate(body), expected));
}

inPage('With an identity each peer of a client has the same fingerprint; one that has certificates keeps them', async () => {
  const { identity } = await import('/client/identity.js');
  const me = await identity();
  const same = await identity({ rtc: { certificates: me.certificates } });
  const seen = [];
  for (let time = 0; time < 2; time++) {
    const { caller, answerer } = await pair({ rtc: { certificates: me.certificates } });
    seen.push(answerer.fingerprint);
    caller.close();
  }
  const { fingerprint: another } = await identity();
  return [seen.every((one) => one === me.fingerprint), same.fingerprint === me.fingerprint, another !== me.fingerprint];
}, [true, true, true]);

inPage('A call opens, and messages go both ways', async () => {
  const { caller, answerer } = await pair();
  const heardByAnswerer = heard(answerer, 'message');
  const heardByCaller = heard(caller, 'message');
  await caller.send('hello');
  await answerer.send(new Uint8Array([1, 2, 3]));
  const result = [await heardByAnswerer, ...new Uint8Array(await heardByCaller), caller.state, answerer.state];
  await caller.close();
  return [...result, (await answerer.closed).code, await caller.closed ?? null];
}, ['hello', 1, 2, 3, 'connected', 'connected', 'left', null]);

inPage('Both call each other at the same time, and it becomes one conversation', async () => {
  const results = new Set();
  for (let time = 0; time < 20; time++) {
    const world = new FakeWorld();
    world.fault = () => ({ copies: 1, delay: time });
    const [ada, bob] = [world.broker('ada'), world.broker('bob')];
    let rung = 0;
    Peer.answer(ada, () => rung++);
    Peer.answer(bob, () => rung++);
    const calls = [() => Peer.call(ada, bob.cid), () => Peer.call(bob, ada.cid)];
    const [one, other] = (time % 2 ? calls : calls.reverse()).map((call) => call());
    await Promise.all([one.opened, other.opened]);
    const heardByOther = heard(other, 'message');
    await one.send('hello');
    const result = [await heardByOther, rung];
    await one.close();
    results.add([...result, (await other.closed).code].join());
  }
  return [...results];
}, ['hello,0,left']);

inPage('A call back while the other one rings answers it, and one right after accepting is a second call', async () => {
  const results = [];
  for (const [one, other] of [['ada', 'bob'], ['bob', 'ada']]) {
    for (const isAccepted of [false, true]) {
      const world = new FakeWorld();
      const [caller, called] = [world.broker(one), world.broker(other)];
      let rung = 0;
      Peer.answer(caller, (call) => {
        rung++;
        call.accept();
      });
      const calledBack = new Promise((resolve) => Peer.answer(called, (call) => {
        const accepted = isAccepted && call.accept();
        resolve([Peer.call(called, caller.cid, { answerWithin: 2_000 }), accepted]);
      }));
      const calling = Peer.call(caller, called.cid);
      const [back, accepted] = await calledBack;
      await Promise.all([back.opened, calling.opened, accepted && accepted.opened]);
      if (!isAccepted) {
        const message = heard(calling, 'message');
        await back.send('hello');
        await message;
      }
      results.push(rung);
      for (const peer of [back, calling, accepted]) if (peer) await peer.close();
    }
  }
  return results;
}, [0, 1, 0, 1]);

inPage('A call is declined, is not answered, or rings in vain', async () => {
  const world = new FakeWorld();
  const [ada, bob, cyd] = ['ada', 'bob', 'cyd'].map((name) => world.broker(name));
  Peer.answer(bob, (call) => call.decline(call.call?.rude ? undefined : 'Not now.'));
  const declined = await Peer.call(ada, bob.cid).closed;
  const silently = await Peer.call(ada, bob.cid, { call: { rude: true } }).closed;
  const rang = new Promise((resolve) => Peer.answer(cyd, resolve));
  const unanswered = Peer.call(ada, cyd.cid, { answerWithin: 100 });
  const ringing = await rang;
  const late = await unanswered.closed;
  await new Promise((resolve) => setTimeout(resolve, 10));
  const unreachable = await Peer.call(ada, 'nobody').closed;
  return [declined.code, declined.message, silently.code, late.code, ringing.signal.aborted, unreachable.code, unreachable.cause.code];
}, ['declined', 'Not now.', 'declined', 'no_answer', true, 'signalling', 'unknown_target']);

inPage('A call outlives its broker, renegotiates over itself, and says its new address', async () => {
  const { world, ada, bob, caller, answerer } = await pair();
  world.restart();
  ada.reopen();
  bob.reopen();
  world.sent.length = 0;
  const [track] = document.createElement('canvas').captureStream().getTracks();
  const heardTrack = heard(answerer, 'track');
  caller.addTrack(track, new MediaStream([track]));
  const { streams } = await heardTrack;
  await caller.restart();
  await caller.send('after');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const result = [streams.length, world.sent.length, caller.target === bob.cid, answerer.target === ada.cid, caller.state];
  await caller.close();
  return result;
}, [1, 0, true, true, 'connected']);

inPage('Where nothing comes over the connection, though it seems to be open, an exchange goes over the broker', async () => {
  const { world, caller, answerer } = await pair();
  const { setTimeout } = globalThis;
  const { send } = RTCDataChannel.prototype;
  const before = world.sent.length;
  const ufrags = () => [caller, answerer].map(({ connection }) => /ice-ufrag:(\S+)/.exec(connection.currentLocalDescription.sdp)[1]);
  const earlier = ufrags();
  let lost = 0;
  try {
    globalThis.setTimeout = (callback, milliseconds) => setTimeout(callback, milliseconds / 20);
    RTCDataChannel.prototype.send = () => lost++;
    await Promise.all([caller.restart(), answerer.restart()]);
    const end = performance.now() + 10_000;
    while (ufrags().some((ufrag, i) => ufrag === earlier[i])) {
      if (performance.now() > end) throw new Error(`In vain: ${JSON.stringify(world.sent.slice(before))}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    Object.assign(globalThis, { setTimeout });
    RTCDataChannel.prototype.send = send;
  }
  const message = heard(answerer, 'message');
  await caller.send('hello');
  const result = [lost > 0, world.sent.slice(before).every(({ message: { description } }) => description), await message];
  await caller.close();
  return result;
}, [true, true, 'hello']);

inPage('Another kind of network is another path, and a change of its speed is none', async () => {
  const network = Object.assign(new EventTarget(), { type: 'wifi' });
  Object.defineProperty(navigator, 'connection', { value: network, configurable: true });
  const { caller } = await pair();
  delete navigator.connection;
  let restarts = 0;
  caller.restart = () => restarts++;
  const counts = ['wifi', 'cellular', 'cellular', 'cellular', 'wifi'].map((type) => {
    network.type = type;
    network.dispatchEvent(new Event('change'));
    return restarts;
  });
  await caller.close();
  return counts;
}, [0, 1, 1, 1, 2]);

inPage('Who hangs up before it has called leaves the call that rings', async () => {
  const world = new FakeWorld();
  const [ada, bob] = [world.broker('ada'), world.broker('bob')];
  let ringing;
  Peer.answer(bob, (call) => {
    ringing = call;
  });
  const caller = Peer.call(ada, bob.cid);
  const end = performance.now() + 5_000;
  while (!ringing && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  let go;
  bob.iceServers = () => new Promise((resolve) => {
    go = () => resolve([]);
  });
  const back = Peer.call(bob, ada.cid);
  while (!go && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  await back.close();
  go();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const isRinging = !ringing.signal.aborted;
  bob.iceServers = async () => [];
  const peer = await ringing.accept().opened;
  const result = [isRinging, peer.state];
  await caller.close();
  return result;
}, [true, 'connected']);

inPage('A peer of the seed calls with bare words', async () => {
  const world = new FakeWorld();
  const [ada, bob] = [world.broker('ada'), world.broker('bob')];
  const accepted = new Promise((resolve) => Peer.answer(bob, (call) => resolve(call.accept())));
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel('chat');
  connection.onicecandidate = ({ candidate }) => candidate && ada.send(bob.cid, { candidate });
  ada.addEventListener('message', ({ detail: { message } }) => {
    if (message.answer) connection.setRemoteDescription({ type: 'answer', sdp: message.answer });
    else if (connection.remoteDescription) connection.addIceCandidate(message.candidate);
  });
  await connection.setLocalDescription();
  await ada.send(bob.cid, { offer: connection.localDescription.sdp });
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (callback, milliseconds) => setTimeout(callback, milliseconds / 20);
  const peer = await accepted;
  const { connection: first } = peer;
  await peer.opened;
  await new Promise((resolve) => setTimeout(resolve, 30_000 / 20)); // in silence
  globalThis.setTimeout = setTimeout;
  if (peer.connection !== first) return ['a fresh connection'];
  const said = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
  await peer.send('hello');
  const result = [await said, Object.keys(world.sent.find(({ origin }) => origin === bob.cid).message).join()];
  connection.close();
  return [...result, (await peer.closed).code];
}, ['hello', 'answer', 'left']);

inPage('A connection whose transport has failed takes its channels along: a fresh one takes its place', async () => {
  const channels = [];
  class Kept extends RTCPeerConnection {
    createDataChannel(...values) {
      channels.push(super.createDataChannel(...values));
      return channels.at(-1);
    }
  }
  const { caller, answerer } = await pair({ RTCPeerConnection: Kept });
  await known(caller, answerer);
  const [before] = [caller.connection];
  Object.defineProperty(before, 'connectionState', { get: () => 'failed' });
  before.dispatchEvent(new Event('connectionstatechange'));
  const again = heard(caller, 'state', (state) => state === 'connected');
  for (const channel of [...channels]) channel.dispatchEvent(new Event('close'));
  const ended = await Promise.race([again, caller.closed.then((error) => error.code)]);
  const heardByAnswerer = heard(answerer, 'message');
  if (ended === 'connected') await caller.send('again');
  const result = [ended, ended === 'connected' && await heardByAnswerer, caller.connection !== before];
  await caller.close();
  return result;
}, ['connected', 'again', true]);

inPage('Where restarts are in vain the same peer goes on with a fresh connection', async () => {
  const { caller, answerer } = await pair();
  const [track] = document.createElement('canvas').captureStream().getTracks();
  caller.addTrack(track);
  await Promise.all([heard(answerer, 'track'), known(caller, answerer)]);
  const first = [caller.fingerprint, answerer.fingerprint];
  const fresh = [heard(caller, 'connection'), heard(answerer, 'connection')];
  const again = [caller, answerer].map((peer) => heard(peer, 'state', (state) => state === 'connected'));
  const before = caller.connection;
  breakDown(caller);
  await Promise.all(fresh);
  await Promise.all(again);
  const [heardByCaller, heardByAnswerer] = [heard(caller, 'message'), heard(answerer, 'message')];
  await Promise.all([caller.send('again'), answerer.send('back')]);
  const result = [await heardByAnswerer, await heardByCaller, caller.connection !== before, caller.state, caller.connection.getSenders().length, before.signalingState];
  const isKnown = [caller.fingerprint, answerer.fingerprint].join() === first.join();
  await caller.close();
  return [...result, isKnown];
}, ['again', 'back', true, 'connected', 1, 'closed', true]);

inPage('A stranger who knows the conversation cannot take the place of the other side, on a fresh connection or on the present one', async () => {
  const results = [];
  for (const begins of [({ pc, offer }) => ({ pc, round: 1, description: offer }), ({ pc, exchange, offer }) => ({ pc, exchange, description: offer })]) {
    const { world, bob, caller, answerer } = await pair();
    const eve = world.broker('eve');
    const stranger = new RTCPeerConnection();
    stranger.createDataChannel('peerbroker', { negotiated: true, id: 254 });
    stranger.addTrack(document.createElement('canvas').captureStream().getTracks()[0]);
    const offer = await stranger.createOffer();
    const { pc } = world.sent.find(({ message }) => message.pc).message;
    const { connection } = answerer;
    const events = [];
    for (const type of ['track', 'message', 'connection']) answerer.addEventListener(type, () => events.push(type));
    await eve.send(bob.cid, begins({ pc, exchange: 1, offer }));
    results.push((await answerer.closed).code, (await caller.closed).code, events.length, answerer.connection === connection);
    stranger.close();
  }
  return results;
}, ['other_identity', 'left', 0, true, 'other_identity', 'left', 0, true]);

inPage('Over the broker only the origin says where the other side is', async () => {
  const { world, ada, caller, answerer } = await pair();
  const eve = world.broker('eve');
  const { pc } = world.sent.find(({ message }) => message.pc).message;
  await ada.send(answerer.target === ada.cid && caller.target, { pc, candidates: [], address: eve.cid, next: 'sha-256 E5:E0' });
  await until(() => world.sent.at(-1).message.address);
  await new Promise((resolve) => setTimeout(resolve));
  const result = [answerer.target === ada.cid];
  await known(caller, answerer);
  breakDown(caller);
  await heard(caller, 'state', (state) => state === 'connected');
  await caller.close();
  return result;
}, [true]);

inPage('A peer that comes back with another certificate than it has named is not the other side', async () => {
  const { caller, answerer } = await pair({ rtc: {} });
  await known(caller, answerer);
  const { RTCPeerConnection: Original } = globalThis;
  globalThis.RTCPeerConnection = class extends Original {
    constructor({ certificates, ...configuration }) {
      super(configuration);
    }
  };
  breakDown(caller);
  const { code } = await answerer.closed;
  globalThis.RTCPeerConnection = Original;
  return [code, (await caller.closed).code];
}, ['other_identity', 'left']);

inPage('What is sent waits for room, and 20 MB arrive in order', async () => {
  const { caller, answerer } = await pair();
  const size = 65_536;
  let most = 0;
  const received = (async () => {
    let count = 0;
    for await (const message of answerer.messages()) {
      if (new Uint32Array(message)[0] !== count++) return 'out of order';
      if (count === 320) return count;
    }
    return 'closed';
  })();
  for (let count = 0; count < 320; count++) {
    await caller.send(new Uint32Array(size / 4).fill(count));
    most = Math.max(most, count);
  }
  const tooLarge = await caller.send('x'.repeat(300_000)).catch(({ code }) => code);
  const aborted = await caller.send('x', { signal: AbortSignal.abort() }).catch(({ name }) => name);
  const result = [await received, tooLarge, aborted];
  await caller.close();
  return [...result, await caller.send('x').catch(({ code }) => code)];
}, [320, 'too_large', 'AbortError', 'closed']);

inPage('What a stranger offers may be anything', async () => {
  const world = new FakeWorld();
  const [ada, bob] = [world.broker('ada'), world.broker('bob')];
  const codes = [];
  let passed = 0;
  bob.addEventListener('message', () => passed++);
  Peer.answer(bob, (call) => call.accept({ connectWithin: 300 }).closed.then(({ code }) => codes.push(code)));
  const bad = { type: 'offer', sdp: 'nonsense' };
  const none = [null, 1, [], { pc: 1 }, { pc: 'a', round: -1, description: bad }, { pc: 'a', description: { type: 'rollback' } }];
  for (const message of [...none, { offer: {} }, { pc: 'b', description: bad, channel: { id: 1e9 } }]) await ada.send(bob.cid, message);
  while (codes.length < 1) await new Promise((resolve) => setTimeout(resolve, 10));
  return [...codes, passed];
}, ['signalling', 7]);

inPage('The other side begins a fresh connection only one after the other, and seldom', async () => {
  const { world, ada, bob, caller, answerer } = await pair();
  await known(caller, answerer);
  const { pc } = world.sent.find(({ message }) => message.pc).message;
  const description = { type: 'offer', sdp: caller.connection.localDescription.sdp };
  let fresh = 0;
  answerer.addEventListener('connection', () => fresh++);
  const counts = [];
  for (const round of [2, 1e9, 1, 2, 3]) {
    await ada.send(bob.cid, { pc, round, description });
    await new Promise((resolve) => setTimeout(resolve, 20));
    counts.push(fresh);
  }
  await caller.close();
  await answerer.closed;
  return counts;
}, [0, 0, 1, 1, 1]);

inPage('One that opens fresh connections again and again is not followed', async () => {
  const { caller, answerer } = await pair();
  await known(caller, answerer);
  breakDown(caller);
  await heard(caller, 'state', (state) => state === 'connected');
  const { connection } = answerer;
  await until(() => answerer.state === 'connected');
  breakDown(caller);
  await heard(caller, 'connection');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const result = [answerer.connection === connection];
  await caller.close();
  await answerer.close();
  return result;
}, [true]);

inPage('Where no fresh connection can be made the peer ends', async () => {
  const results = [];
  for (const which of ['caller', 'answerer']) {
    let isOver = false;
    class Exhausted extends RTCPeerConnection {
      constructor(configuration) {
        if (isOver) throw new Error('Too many.');
        super(configuration);
      }
    }
    const options = { RTCPeerConnection: Exhausted };
    const { caller, answerer } = await (which === 'caller' ? pair(options) : pair(undefined, options));
    await known(caller, answerer);
    isOver = true;
    breakDown(caller);
    const [one, other] = which === 'caller' ? [caller, answerer] : [answerer, caller];
    const { code, cause } = await one.closed;
    results.push(code, cause.message, (await other.closed).code);
  }
  return [...results, rejections.length];
}, ['signalling', 'Too many.', 'left', 'signalling', 'Too many.', 'left', 0]);

inPage('What is left unread is bounded, by its bytes too, and what comes before it is proven who says it', async () => {
  const codes = [];
  const size = 200_000;
  {
    const { caller, answerer } = await pair();
    const reading = answerer.messages();
    const first = reading.next();
    const count = Math.floor((16 * 1_024 * 1_024) / (size + 64));
    for (let i = 0; i < count; i++) await caller.send(new Uint8Array(size));
    await first;
    codes.push(answerer.state);
    for (let i = 0; i < 3; i++) await caller.send(new Uint8Array(size)).catch(() => {});
    codes.push((await answerer.closed).code);
    await caller.close();
  }
  {
    const world = new FakeWorld();
    const [ada, bob] = [world.broker('ada'), world.broker('bob')];
    class Slow extends RTCPeerConnection {
      get connectionState() {
        return 'connecting';
      }
    }
    const channels = [];
    class Eager extends RTCPeerConnection {
      createDataChannel(...values) {
        channels.push(super.createDataChannel(...values));
        return channels.at(-1);
      }
    }
    let early = 0;
    const accepted = new Promise((resolve) => Peer.answer(bob, (call) => resolve(call.accept({ RTCPeerConnection: Slow, channel: { label: 'early' } }))));
    const caller = Peer.call(ada, bob.cid, { RTCPeerConnection: Eager });
    const answerer = await accepted;
    answerer.addEventListener('message', () => early++);
    await caller.opened;
    for (let i = 0; i < 100; i++) await caller.send(new Uint8Array(size)).catch(() => {});
    codes.push((await answerer.closed).code, early);
    await caller.close();
  }
  return codes;
}, ['connected', 'overflow', 'overflow', 0]);

inPage('An application’s own message is no signal, although it has a member of that name', async () => {
  const { ada, bob, caller, answerer } = await pair();
  const message = heard(bob, 'message');
  await ada.send(bob.cid, { pc: 'Dell' });
  const result = (await message).message.pc;
  await caller.close();
  await answerer.closed;
  return result;
}, 'Dell');

inPage('What cannot be sent is refused at once', async () => {
  const { caller, answerer } = await pair({ channel: false });
  const errors = [];
  for (const peer of [caller, answerer]) errors.push(await peer.send('x').catch(({ code }) => code));
  await caller.close();
  const { caller: other, answerer: listener } = await pair();
  for (const data of [{ move: 'e4' }, 5, null, undefined, new Map()]) errors.push(await other.send(data).catch(({ name, message }) => `${name}: ${message}`));
  const message = heard(listener, 'message');
  await other.send(new Blob(['hello']));
  errors.push(new TextDecoder().decode(await message));
  await other.close();
  return [...new Set(errors)];
}, ['no_channel', 'TypeError: Send a string, Blob, ArrayBuffer or view of one.', 'hello']);

inPage('Two own sessions call each other, also at the same time; an address that calls itself is refused at once', async () => {
  const world = new FakeWorld();
  const ada = world.broker('ada');
  const [one, other] = [await ada.host({ tags: [] }), await ada.host({ tags: [] })];
  const results = [];
  for (const origin of [one, undefined]) {
    const accepted = new Promise((resolve) => {
      const stop = Peer.answer(ada, (call) => {
        stop();
        resolve(call.accept());
      });
    });
    const caller = Peer.call(ada, other.sid, { origin });
    const answerer = await accepted;
    await Promise.all([caller.opened, answerer.opened]);
    for (const [from, to] of [[caller, answerer], [answerer, caller]]) {
      const message = heard(to, 'message');
      await from.send('hello');
      results.push(await message);
    }
    await caller.close();
    results.push((await answerer.closed).code);
  }
  const crossing = [Peer.call(ada, other.sid, { origin: one }), Peer.call(ada, one.sid, { origin: other })];
  await Promise.all(crossing.map(({ opened }) => opened));
  await crossing[0].close();
  results.push((await crossing[1].closed).code);
  const start = performance.now();
  for (const options of [{ target: ada.cid }, { target: one.sid, origin: one }]) results.push((await Peer.call(ada, options.target, options).closed).code);
  return [...results, performance.now() - start < 1_000];
}, ['hello', 'hello', 'left', 'hello', 'hello', 'left', 'left', 'own_address', 'own_address', true]);

inPage('A track that took the place of another belongs to the same streams on a fresh connection', async () => {
  const [track] = document.createElement('canvas').captureStream().getTracks();
  const [successor] = document.createElement('canvas').captureStream().getTracks();
  const stream = new MediaStream([track]);
  const { caller, answerer } = await pair({ tracks: stream });
  await known(caller, answerer);
  await caller.connection.getSenders()[0].replaceTrack(successor);
  const again = heard(answerer, 'track');
  breakDown(caller);
  const { streams } = await again;
  const result = [streams.map(({ id }) => id === stream.id), caller.connection.getSenders()[0].track === successor];
  await caller.close();
  return result;
}, [[true], true]);

inPage('A path over which nothing comes, though ICE calls it connected, is left for a fresh connection', async () => {
  class Deaf extends RTCPeerConnection {
    async getStats() {
      return new Map();
    }

    createDataChannel(...values) {
      const channel = super.createDataChannel(...values);
      // Swallows what the first connection hears once it is deaf.
      channel.addEventListener('message', (event) => this.isDeaf && event.stopImmediatePropagation());
      return channel;
    }
  }
  const { setTimeout } = globalThis;
  const { caller, answerer } = await pair({ RTCPeerConnection: Deaf });
  await known(caller, answerer);
  const before = caller.connection;
  before.isDeaf = true;
  const fresh = heard(caller, 'connection');
  try {
    globalThis.setTimeout = (callback, milliseconds) => setTimeout(callback, milliseconds / 20);
    await answerer.restart();
    await fresh;
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  await heard(caller, 'state', (state) => state === 'connected');
  const message = heard(caller, 'message');
  await answerer.send('again');
  const result = [await message, caller.connection !== before];
  await caller.close();
  return result;
}, ['again', true]);

inPage('A call says how long it rings', async () => {
  const world = new FakeWorld();
  const [ada, bob] = [world.broker('ada'), world.broker('bob')];
  const offers = () => world.sent.filter(({ message }) => message.description);
  for (const options of [undefined, { answerWithin: 60_000 }]) {
    const before = offers().length;
    const caller = Peer.call(ada, bob.cid, options);
    await until(() => offers().length > before);
    await caller.close();
  }
  return offers().map(({ message }) => message.answerWithin);
}, [15_000, 60_000]);

inPage('A call without a data channel carries video', async () => {
  const [track] = document.createElement('canvas').captureStream().getTracks();
  const { caller, answerer } = await pair({ channel: false, tracks: new MediaStream([track]) });
  const kinds = answerer.connection.getReceivers().map((receiver) => receiver.track.kind);
  const route = caller.route ?? await heard(caller, 'route');
  await answerer.close();
  return [kinds.join(), route, (await caller.closed).code];
}, ['video', 'direct', 'left']);
