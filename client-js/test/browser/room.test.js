import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openChromium, withoutChromium } from '../tools/chromium.js';

const options = { skip: withoutChromium, timeout: 60_000 };
let chromium;

before(async () => {
  if (withoutChromium) return;
  chromium = await openChromium();
  await chromium.page.evaluate(async () => {
    const { Broker } = await import('/client/broker.js');
    const { Room } = await import('/client/room.js');
    const { Peer } = await import('/client/peer.js');
    const { FakeWorld } = await import('/test/tools/fake-world.js');
    const { until } = await import('/test/tools/waiting.js');
    Object.assign(globalThis, { Broker, Peer, Room, FakeWorld, until });
    /** Rooms that note what happens: `told` has a line for each event. */
    globalThis.enter = (world, name, roomOptions) => {
      const broker = world.broker(name);
      const room = new Room(broker, 'party', { metadata: { name }, ...roomOptions });
      const told = [];
      for (const type of ['join', 'leave']) {
        room.addEventListener(type, ({ detail }) => told.push(`${type} ${detail.metadata.name}`));
      }
      return { broker, room, told, names: () => room.members.map(({ metadata }) => metadata.name).sort().join() };
    };
    /** What two members notice when the room of one of them is ended so. */
    globalThis.endOf = async (end) => {
      const world = new FakeWorld();
      const [ada, bob] = ['ada', 'bob'].map((name) => enter(world, name));
      await until(() => ada.room.members.length && bob.room.members.length);
      end(world, ada, Object.assign(new Error('no'), { code: 'denied' }));
      const { code } = await ada.room.closed;
      await until(() => ada.told.length === 2 && bob.told.length === 2);
      await bob.room.close();
      return [code, ...ada.told, ...bob.told];
    };
  });
});

after(() => chromium?.close());

function inPage(name, body, expected) {
  test(name, options, async () => assert.deepEqual(await chromium.page.evaluate(body), expected));
}

inPage('Four meet, each with each; one leaves', async () => {
  const world = new FakeWorld();
  const names = ['ada', 'bob', 'cyd', 'dan'];
  const all = names.map((name) => enter(world, name));
  await until(() => all.every(({ room }) => room.members.length === 3));
  const [ada, bob, cyd, dan] = all;
  const heard = new Promise((resolve) => dan.room.members.find(({ metadata }) => metadata.name === 'ada').peer
    .addEventListener('message', ({ detail }) => resolve(detail)));
  await ada.room.members.find(({ metadata }) => metadata.name === 'dan').peer.send('hello');
  const result = [await heard, ada.names(), dan.names()];
  await dan.room.close();
  await until(() => [ada, bob, cyd].every(({ told }) => told.includes('leave dan')));
  result.push(cyd.names(), cyd.told.length);
  await Promise.all(all.map(({ room }) => room.close()));
  return result;
}, ['hello', 'bob,cyd,dan', 'ada,bob,cyd', 'ada,bob', 4]);

inPage('After a new start of the broker everybody is recognised, nobody leaves, and others come', async () => {
  const world = new FakeWorld();
  const all = ['ada', 'bob', 'cyd'].map((name) => enter(world, name));
  await until(() => all.every(({ room }) => room.members.length === 2));
  const peers = all[0].room.members.map(({ peer }) => peer);
  world.restart();
  for (const { broker } of all) {
    broker.reopen();
    world.changed();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const late = enter(world, 'eve');
  await until(() => late.room.members.length === 3);
  await until(() => all.every(({ room }) => room.members.length === 3));
  const isKept = peers.every((peer) => peer.state === 'connected' && all[0].room.members.some((member) => member.peer === peer));
  const left = all.flatMap(({ told }) => told.filter((line) => line.startsWith('leave')));
  const result = [isKept, left, all.map(({ told }) => told.length)];
  await Promise.all([...all, late].map(({ room }) => room.close()));
  return result;
}, [true, [], [3, 3, 3]]);

for (const [name, calls] of [['aaron', true], ['zoe', false]]) {
  test(`A stranger with another's fingerprint who ${calls ? 'calls' : 'is called'} gets neither picture nor sound`, options, async () => {
    const result = await chromium.page.evaluate(async (stranger) => {
      const world = new FakeWorld();
      const tracks = document.createElement('canvas').captureStream();
      const bob = enter(world, 'bob', { tracks });
      await bob.room.ready;
      const [{ sid }] = bob.broker.sessions;
      const mallory = world.broker(stranger);
      const called = new Promise((resolve) => Peer.answer(mallory, (call) => resolve(call.accept({ tracks }))));
      const session = await mallory.host({ tags: ['party'], listed: true, metadata: { name: 'cyd', fingerprint: 'sha-256 00' } });
      const isCaller = session.sid < sid;
      const peer = isCaller ? Peer.call(mallory, sid, { origin: session, call: { room: 'party' }, tracks }) : await called;
      const seen = [];
      peer.connection.addEventListener('track', () => seen.push('track'));
      await peer.closed;
      await bob.room.close();
      return { isCaller, seen, told: bob.told };
    }, name);
    assert.deepEqual(result, { isCaller: calls, seen: [], told: [] });
  });
}

inPage('A stranger with a copied fingerprint changes nothing for a member whose session is not listed', async () => {
  const world = new FakeWorld();
  const ada = enter(world, 'ada');
  const bob = enter(world, 'bob');
  await until(() => ada.room.members.length && bob.room.members.length);
  const [[target], [session]] = [ada, bob].map(({ broker }) => [...broker.sessions]);
  const [{ peer }] = ada.room.members;
  await session.update({ listed: false });
  const mallory = world.broker('mallory');
  const copy = await mallory.host({ tags: ['party'], listed: true, metadata: session.spec.metadata });
  await Peer.call(mallory, target.sid, { origin: copy, call: { room: 'party' } }).closed;
  await session.update({ listed: true });
  const result = [...ada.told, peer === ada.room.members[0]?.peer && peer.state];
  await Promise.all([ada, bob].map(({ room }) => room.close()));
  return result;
}, ['join bob', 'connected']);

inPage('After a new start of the broker a member that has lost its connection takes its own place in a full room', async () => {
  const world = new FakeWorld();
  const ada = enter(world, 'ada', { max: 1 });
  const bob = enter(world, 'bob');
  await until(() => ada.room.members.length && bob.room.members.length);
  world.restart();
  for (const { broker } of [ada, bob]) broker.reopen();
  await until(() => [...bob.broker.sessions][0].sid === ada.room.members[0].peer.target);
  world.changed();
  const [[target], [origin]] = [ada, bob].map(({ broker }) => [...broker.sessions]);
  const { code } = await Peer.call(bob.broker, target.sid, { origin, call: { room: 'party' } }).closed;
  await Promise.all([ada, bob].map(({ room }) => room.close()));
  return [code, ...ada.told];
}, ['left', 'join bob', 'leave bob']);

inPage('Who proves no certificate is no member, also if its session names none', async () => {
  const world = new FakeWorld();
  /** As in a browser that shows no certificates, where the other side has named a second one. */
  class Silent extends RTCPeerConnection {
    get sctp() {
      return null;
    }

    get remoteDescription() {
      const description = super.remoteDescription;
      return description && { ...description.toJSON(), sdp: `${description.sdp}a=fingerprint:sha-256 00\r\n` };
    }
  }
  const ada = enter(world, 'ada', { RTCPeerConnection: Silent });
  await ada.room.ready;
  const mallory = world.broker('mallory');
  const called = new Promise((resolve) => Peer.answer(mallory, (call) => resolve(call.accept())));
  await mallory.host({ tags: ['party'], listed: true, metadata: { name: 'bob', fingerprint: null } });
  await Promise.race([(await called).closed, until(() => ada.told.length)]);
  await ada.room.close();
  return ada.told;
}, []);

inPage('A room whose broker stays away says so, and one that nobody wants any longer is closed', async () => {
  const fetch = () => Promise.reject(new TypeError('away'));
  const options = { fetch, lifecycle: () => {}, delay: () => 10 };
  const codes = async (room) => [await room.ready.catch(({ code, message }) => code ?? message), (await room.closed)?.code ?? 'none'].join();
  const unwanted = new Room(new Broker('/broker', options), 'party');
  unwanted.close();
  const result = [
    await codes(new Room(new Broker('/broker', options), 'party', { within: 50 })),
    await codes(unwanted),
    await codes(new Room(new Broker('/broker', options), 'party', { signal: AbortSignal.abort(new Error('mine')) })),
    await codes(new Room(new Broker('/broker', options), 'party', { RTCPeerConnection: null })),
  ];
  const broker = new FakeWorld().broker('ada');
  const within = await new Promise((resolve) => {
    broker.host = (spec, hosting) => Promise.reject(resolve(hosting.within));
    new Room(broker, 'party', { within: Infinity });
  });
  return [...result, within];
}, ['timeout,timeout', 'closed,none', 'mine,none', 'unsupported,unsupported', 2 ** 31 - 1]);

const refused = ['denied', 'join bob', 'leave bob', 'join ada', 'leave ada'];

inPage('A room whose list is refused closes and says why', () => endOf((world, { broker }, error) => {
  for (const watch of world.watches) if (watch.owner === broker) watch.error = error;
  world.changed();
}), refused);

inPage('A room whose session is not hosted again closes and says why', () => endOf((world, { broker }, error) => {
  const [{ sid: was }] = broker.sessions;
  const detail = { cid: 'other', resumed: false, lost: true, sessions: [{ was, sid: null, error }] };
  broker.dispatchEvent(new CustomEvent('channel', { detail }));
}), refused);

inPage('Tracks have their stream; those added later reach the members and who comes, those taken back nobody', async () => {
  const world = new FakeWorld();
  const paint = () => document.createElement('canvas').captureStream();
  const [camera, screen] = [paint(), paint()];
  const seen = [];
  const see = (one, name) => one.room.addEventListener('track', ({ detail: { member, streams } }) => {
    seen.push(`${name} sees ${member.metadata.name}'s ${{ [camera.id]: 'camera', [screen.id]: 'screen' }[streams[0]?.id]}`);
  });
  const ada = enter(world, 'ada', { tracks: camera });
  const bob = enter(world, 'bob');
  see(bob, 'bob');
  await until(() => seen.length === 1);
  const [track] = screen.getTracks();
  ada.room.addTrack(track, screen);
  ada.room.addTrack(track, screen);
  await until(() => seen.length === 2);
  ada.room.removeTrack(camera.getTracks()[0]);
  const cyd = enter(world, 'cyd');
  see(cyd, 'cyd');
  await until(() => seen.length === 3);
  ada.room.removeTrack(track);
  const receives = ({ room }) => room.members.some(({ peer }) => peer.connection.getTransceivers().some(({ currentDirection }) => currentDirection === 'recvonly'));
  await until(() => !receives(bob) && !receives(cyd));
  await Promise.all([ada, bob, cyd].map(({ room }) => room.close()));
  return seen;
}, ["bob sees ada's camera", "bob sees ada's screen", "cyd sees ada's screen"]);

inPage('Who calls without a session of the room sees nobody, takes no place, and is declined', async () => {
  const world = new FakeWorld();
  const tracks = document.createElement('canvas').captureStream();
  const ada = enter(world, 'ada', { tracks, max: 1 });
  await ada.room.ready;
  const mallory = world.broker('mallory');
  const [target] = [...ada.broker.sessions].map(({ sid }) => sid);
  const peer = Peer.call(mallory, target, { call: { room: 'party' } });
  const seen = [];
  peer.addEventListener('track', () => seen.push('track'));
  const bob = enter(world, 'bob');
  await until(() => ada.room.members.length === 1);
  const result = [ada.names(), (await peer.closed).code, seen.length];
  await Promise.all([ada, bob].map(({ room }) => room.close()));
  return result;
}, ['bob', 'declined', 0]);

inPage('A call that comes before the answer that names the own session is answered, at first and on a new channel', async () => {
  const world = new FakeWorld();
  const ada = enter(world, 'ada');
  await ada.room.ready;
  const bob = world.broker('bob');
  const { promise: answered, resolve: answer } = Promise.withResolvers();
  const { host } = bob;
  bob.host = async (...values) => {
    const session = await host.apply(bob, values);
    await answered;
    return session;
  };
  world.broker = () => bob;
  const { room, told } = enter(world, 'bob');
  const calls = () => world.sent.filter(({ message }) => message.call).length;
  await until(calls);
  answer();
  await until(() => ada.told.length && told.length);
  const result = [calls(), ...told];

  const [session] = bob.sessions;
  const { sid: was } = session;
  const member = ada.room.members[0].peer;
  world.restart();
  ada.broker.reopen();
  bob.reopen();
  // As in the client, which has the old address until the answer comes.
  const { sid } = session;
  let isMoved = false;
  Object.defineProperties(session, { sid: { get: () => (isMoved ? sid : was) }, moving: { get: () => !isMoved } });
  const [origin] = ada.broker.sessions;
  const peer = Peer.call(ada.broker, sid, { origin, call: { room: 'party' } });
  await until(() => calls() === 2);
  world.changed();
  await new Promise((resolve) => setTimeout(resolve, 20));
  isMoved = true;
  world.changed();
  // It is taken, and ends as it has another certificate than the room's.
  const { message } = await peer.closed;
  result.push(message, member.state);
  await Promise.all([ada.room, room].map((one) => one.close()));
  return result;
}, [1, 'join ada', 'The other side says: not who its session says', 'closed']);

inPage('A session without an owner is called in vain and is no member; a full room takes nobody more', async () => {
  const world = new FakeWorld();
  const ghost = world.broker('zoe');
  await ghost.host({ tags: ['party'], listed: true, metadata: { name: 'zoe', fingerprint: 'sha-256 00' } });
  const ada = enter(world, 'ada', { max: 2, answerWithin: 200 });
  const bob = enter(world, 'bob', { answerWithin: 200 });
  await until(() => ada.room.members.length && bob.room.members.length);
  const calls = () => world.sent.filter(({ message, target }) => message.call && target.startsWith('zoe')).length;
  await until(() => calls() >= 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const cyd = enter(world, 'cyd');
  const dan = enter(world, 'dan');
  await until(() => ada.room.members.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const result = [calls() <= 4, ada.room.members.length, cyd.told.includes('join zoe')];
  await Promise.all([ada, bob, cyd, dan].map(({ room }) => room.close()));
  return result;
}, [true, 2, false]);
