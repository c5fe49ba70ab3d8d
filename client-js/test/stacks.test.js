import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peer } from '../client/peer.js';
import { FakeWorld } from './tools/fake-world.js';

/** What works on each: werift's connection is silent after an ICE restart. */
const stacks = {
  werift: { load: async () => (await import('werift')).RTCPeerConnection, restarts: false },
  '@roamhq/wrtc': { load: async () => (await import('@roamhq/wrtc')).default.RTCPeerConnection, restarts: true },
};

const heard = (peer) => new Promise((resolve) => peer.addEventListener('message', ({ detail }) => resolve(detail), { once: true }));

async function speak(one, other) {
  for (const [from, to] of [[one, other], [other, one]]) {
    const said = heard(to);
    await from.send('hello');
    assert.equal(await said, 'hello');
  }
}

for (const [name, { load, restarts }] of Object.entries(stacks)) {
  const RTCPeerConnection = await load().catch(() => null);
  const options = { skip: !RTCPeerConnection && 'It has no binary for this machine.', timeout: 30_000 };

  test(`${name}: a call opens, messages go both ways, and its end is noticed`, options, async () => {
    const world = new FakeWorld();
    const [ada, bob] = [world.broker('ada'), world.broker('bob')];
    const accepted = new Promise((resolve) => Peer.answer(bob, (call) => resolve(call.accept()), { RTCPeerConnection }));
    const caller = Peer.call(ada, bob.cid, { RTCPeerConnection });
    const answerer = await accepted;
    await Promise.all([caller.opened, answerer.opened]);
    await speak(caller, answerer);
    if (restarts) {
      await caller.restart();
      await speak(caller, answerer);
    }
    assert.match(caller.fingerprint, /^sha-256 [0-9A-F:]{95}$/);
    await caller.close();
    assert.ok(['left', 'lost'].includes((await answerer.closed).code));
  });

  test(`${name}: two calls that cross become one`, options, async () => {
    const world = new FakeWorld();
    const [ada, bob] = [world.broker('ada'), world.broker('bob')];
    const [one, other] = [Peer.call(ada, bob.cid, { RTCPeerConnection }), Peer.call(bob, ada.cid, { RTCPeerConnection })];
    await Promise.all([one.opened, other.opened]);
    await speak(one, other);
    await Promise.all([one.close(), other.closed]);
  });
}

// The second of them crashes while its process ends by itself.
test('The stacks are left behind', () => setTimeout(() => process.exit(process.exitCode), 500));
