import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage, usePages, without } from '../tools/browsers.js';
import { startRealBroker, withoutJar } from '../tools/realbroker.js';
import { browsers, pages, real, setUp, wires } from '../tools/shared.js';
import { spread } from '../tools/times.js';

/** How often things happen at the same time, and pages are loaded: 8 and 20 times unless PEERBROKER_TIMES says otherwise, as 100. */
const { PEERBROKER_TIMES } = process.env;
const TRACKS = Number(PEERBROKER_TIMES ?? 8);
/** Between Chromium and Firefox fewer: one in thirty leaves a path over which nothing comes for a while, or for good. */
const restartsOf = ([one, other]) => Number(PEERBROKER_TIMES ?? (one === other ? 8 : 3));
const CALLS = Number(PEERBROKER_TIMES ?? 20);
const pairs = [['chromium', 'chromium'], ['firefox', 'firefox'], ['chromium', 'firefox'], ['firefox', 'chromium']];
const GREEN = [0, 128, 0];
const BLUE = [0, 0, 255];

// The pages speak to the broker at its own port, so all of this crosses origins.
setUp(['chromium', 'firefox'], ['--allowed-origins', '*']);

/** The test of two pages, which says what they have noted where it fails. */
function withPages([one, other], name, body, seconds = 60) {
  const skip = withoutJar || without(one) || without(other);
  test(`${one} calls ${other}: ${name}`, { skip, timeout: seconds * 1_000 }, async (t) => {
    const [ada, bob] = [await newPage(browsers[one], pages.url), await newPage(browsers[other], pages.url)];
    await usePages(t, { ada, bob }, () => body(t, ada, bob));
  });
}

const both = (...promises) => Promise.all(promises);

for (const pair of pairs) {
  for (const [wire, how] of Object.entries(wires)) withPages(pair, `a data channel, a restart by each side, and the end, over ${wire}`, async (t, ada, bob) => {
    await ada.run('open', real.url, 'Ada', how);
    const sid = await bob.run('open', real.url, 'Bob', how);
    await both(ada.run('call', sid), bob.run('opened'));
    await both(ada.run('ping'), bob.run('ping'));
    assert.match(await ada.run('fingerprint'), /^sha-256 [0-9A-F:]{95}$/);
    await both(ada.run('isSame', true), bob.run('isSame', true));
    for (const [one, other] of [[ada, bob], [bob, ada]]) {
      await other.run('remember');
      await one.run('restart');
      await both(ada.run('restarted'), bob.run('restarted'));
      await both(ada.run('ping'), bob.run('ping'));
    }
    assert.deepEqual(await both(ada.run('isSame'), bob.run('isSame')), [true, true]);
    assert.deepEqual((await both(ada.run('hangUp'), bob.run('ended')))[1], 'left');
  });

  withPages(pair, 'video of a canvas, from the start and added', async (t, ada, bob) => {
    await ada.run('open', real.url, 'Ada');
    const sid = await bob.run('open', real.url, 'Bob');
    await ada.run('callWithVideo', sid, 'green');
    const size = await bob.run('sees', GREEN);
    await bob.run('addVideo', 'blue');
    t.diagnostic(`${size} there, ${await ada.run('sees', BLUE)} back`);
    await both(ada.run('ping'), bob.run('ping'));
  });

  withPages(pair, `${CALLS} calls that cross`, async (t, ada, bob) => {
    const [adas, bobs] = await both(ada.run('open', real.url, 'Ada'), bob.run('open', real.url, 'Bob'));
    const times = [];
    for (let time = 0; time < CALLS; time++) {
      const start = Date.now();
      await both(ada.run('call', bobs), bob.run('call', adas));
      times.push(Date.now() - start);
      await both(ada.run('ping'), bob.run('ping'));
      const [one, other] = time % 2 ? [ada, bob] : [bob, ada];
      await both(one.run('hangUp'), other.run('ended'));
    }
    t.diagnostic(`open after ${spread(times)}`);
  }, 60 + 3 * CALLS);

  withPages(pair, `${restartsOf(pair)} times both look for another path at once`, async (t, ada, bob) => {
    await ada.run('open', real.url, 'Ada');
    const sid = await bob.run('open', real.url, 'Bob');
    await both(ada.run('call', sid), bob.run('opened'));
    await both(ada.run('isSame', true), bob.run('isSame', true));
    for (let time = 0; time < restartsOf(pair); time++) {
      await both(ada.run('restart'), bob.run('restart'));
      await both(ada.run('restarted'), bob.run('restarted'));
      await both(ada.run('ping'), bob.run('ping'));
    }
    const isSame = await both(ada.run('isSame'), bob.run('isSame'));
    // A busy Firefox that talks to Chromium now and then loses its connection over this, and a fresh one takes its place.
    if (pair[0] === pair[1]) assert.deepEqual(isSame, [true, true]);
    else if (!isSame[0]) t.diagnostic('on a fresh connection by now');
  }, 60 + 6 * restartsOf(pair));

  withPages(pair, `${TRACKS} times both add and remove a track at once`, async (t, ada, bob) => {
    await ada.run('open', real.url, 'Ada');
    const sid = await bob.run('open', real.url, 'Bob');
    await both(ada.run('call', sid), bob.run('opened'));
    await both(ada.run('isSame', true), bob.run('isSame', true));
    for (let time = 0; time < TRACKS; time++) {
      await both(ada.run('forgetTrack'), bob.run('forgetTrack'));
      await both(ada.run('addTrack'), bob.run('addTrack'));
      await both(ada.run('tracked'), bob.run('tracked'));
      await both(ada.run('removeTrack'), bob.run('removeTrack'));
      await both(ada.run('untracked'), bob.run('untracked'));
    }
    await both(ada.run('ping'), bob.run('ping'));
    t.diagnostic(`on the first connection: ${await both(ada.run('isSame'), bob.run('isSame'))}`);
  }, 60 + 3 * CALLS);

  for (const [wire, how] of Object.entries(wires)) withPages(pair, `from the page's load to the open channel, ${CALLS} times, over ${wire}`, async (t, ada, bob) => {
    const sid = await bob.run('open', real.url, 'Bob', how);
    const times = [];
    for (let time = 0; time < CALLS; time++) {
      await ada.page.goto(pages.url);
      await ada.run('open', real.url, 'Ada', how);
      times.push(await ada.run('call', sid));
      await both(ada.run('hangUp'), bob.run('ended'));
    }
    t.diagnostic(spread(times));
  }, 60 + 3 * CALLS);

  for (const [wire, how] of Object.entries(wires)) withPages(pair, `the call outlives the broker, and sessions come back, over ${wire}`, async (t, ada, bob) => {
    const own = await startRealBroker('--allowed-origins', '*');
    t.after(() => own.stop('SIGKILL'));
    const [adas, bobs] = await both(ada.run('open', own.url, 'Ada', how), bob.run('open', own.url, 'Bob', how));
    await both(ada.run('call', bobs), bob.run('opened'));
    await both(ada.run('isSame', true), bob.run('isSame', true));
    await own.stop('SIGKILL');
    await both(ada.run('broken'), bob.run('broken'));
    await both(ada.run('ping'), bob.run('ping'));
    // The broker is away, so this goes over the call itself.
    await both(ada.run('restart'), bob.run('restart'));
    await both(ada.run('restarted'), bob.run('restarted'));
    await own.start();
    const started = Date.now();
    const moved = await both(ada.run('moved', adas), bob.run('moved', bobs));
    t.diagnostic(`sessions were back ${moved.map(({ at }) => at - started)} ms after the broker`);
    assert.deepEqual(await ada.run('list'), moved.map(({ sid }) => sid).sort());
    await both(ada.run('ping'), bob.run('ping'));
    assert.deepEqual(await both(ada.run('isSame'), bob.run('isSame')), [true, true]);
    await both(bob.run('hangUp'), ada.run('ended'));
    await both(ada.run('call', moved[1].sid), bob.run('opened'));
    await both(ada.run('ping'), bob.run('ping'));
  }, 90);
}
