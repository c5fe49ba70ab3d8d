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
    const { FakeWorld } = await import('/test/tools/fakebroker.js');
    Object.assign(globalThis, { Peer, FakeWorld });
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
