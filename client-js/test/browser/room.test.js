import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openChromium, withoutChromium } from '../tools/chromium.js';

const options = { skip: withoutChromium, timeout: 60_000 };
let chromium;

before(async () => {
  if (withoutChromium) return;
  chromium = await openChromium();
  await chromium.page.evaluate(async () => {
    const { Room } = await import('/client/room.js');
    const { Peer } = await import('/client/peer.js');
    const { FakeWorld } = await import('/test/tools/fake-world.js');
    const { until } = await import('/test/tools/waiting.js');
    Object.assign(globalThis, { Peer, FakeWorld, until });
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

inPage('Who does not have the certificate that the session names is no member', async () => {
  const world = new FakeWorld();
  const ada = enter(world, 'ada');
  await ada.room.ready;
  const mallory = world.broker('mallory');
  const session = await mallory.host({ tags: ['party'], listed: true, metadata: { name: 'bob', fingerprint: 'sha-256 00' } });
  Peer.answer(mallory, (call) => call.decline());
  const [target] = [...ada.broker.sessions].map(({ sid }) => sid);
  const peer = Peer.call(mallory, target, { origin: session, call: { room: 'party' } });
  const { code } = await peer.closed;
  const result = [code, [...ada.told], ada.room.members.length];
  await ada.room.close();
  return result;
}, ['left', [], 0]);

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
