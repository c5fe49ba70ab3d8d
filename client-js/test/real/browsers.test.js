import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, startPages, without } from '../tools/browsers.js';
import { startRealBroker, withoutJar } from '../tools/realbroker.js';

const names = ['chromium', 'firefox'];
const pairs = [['chromium', 'chromium'], ['firefox', 'firefox'], ['chromium', 'firefox'], ['firefox', 'chromium']];
const GREEN = [0, 128, 0];
const BLUE = [0, 0, 255];
const open = {};
let pages;
let real;

before(async () => {
  if (withoutJar) return;
  // The pages have another origin, so all of this crosses origins.
  [pages, real] = await Promise.all([startPages(), startRealBroker('--allowed-origins', '*')]);
  for (const name of names) if (!without(name)) open[name] = await openBrowser(name);
});

after(async () => {
  for (const browser of Object.values(open)) await browser.close();
  pages?.close();
  await real?.stop('SIGKILL');
});

/** A page of this browser, whose functions are those of page.js. */
async function newPage(name) {
  const page = await open[name].newPage({ type: 'window' });
  await page.goto(pages.url);
  return {
    name,
    page,
    run: (action, ...values) => page.evaluate(async (which, all) => {
      const functions = await import('/test/real/page.js');
      return functions[which](...all);
    }, action, values),
  };
}

/** The test of two pages, which says what they have noted where it fails. */
function withPages([one, other], name, body, seconds = 60) {
  const skip = withoutJar || without(one) || without(other);
  test(`${one} calls ${other}: ${name}`, { skip, timeout: seconds * 1_000 }, async (t) => {
    const both = [await newPage(one), await newPage(other)];
    try {
      await body(t, ...both);
    } catch (error) {
      for (const { name: browser, run } of both) t.diagnostic(`${browser}: ${(await run('log').catch(String))}`);
      throw error;
    } finally {
      for (const { page } of both) await page.close();
    }
  });
}

const both = (...promises) => Promise.all(promises);
const median = (numbers) => Math.round(numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]);

for (const pair of pairs) {
  withPages(pair, 'a data channel, a restart by each side, and the end', async (t, ada, bob) => {
    await ada.run('open', real.url, 'Ada');
    const sid = await bob.run('open', real.url, 'Bob');
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

  withPages(pair, '20 calls that cross', async (t, ada, bob) => {
    const [adas, bobs] = await both(ada.run('open', real.url, 'Ada'), bob.run('open', real.url, 'Bob'));
    const times = [];
    for (let time = 0; time < 20; time++) {
      const start = Date.now();
      await both(ada.run('call', bobs), bob.run('call', adas));
      times.push(Date.now() - start);
      await both(ada.run('ping'), bob.run('ping'));
      const [one, other] = time % 2 ? [ada, bob] : [bob, ada];
      await both(one.run('hangUp'), other.run('ended'));
    }
    t.diagnostic(`open after ${median(times)} ms (median), ${Math.max(...times)} ms (longest)`);
  }, 120);

  withPages(pair, '8 times both look for another path at once', async (t, ada, bob) => {
    await ada.run('open', real.url, 'Ada');
    const sid = await bob.run('open', real.url, 'Bob');
    await both(ada.run('call', sid), bob.run('opened'));
    await both(ada.run('isSame', true), bob.run('isSame', true));
    for (let time = 0; time < 8; time++) {
      await both(ada.run('restart'), bob.run('restart'));
      await both(ada.run('restarted'), bob.run('restarted'));
      await both(ada.run('ping'), bob.run('ping'));
    }
    assert.deepEqual(await both(ada.run('isSame'), bob.run('isSame')), [true, true]);
  }, 120);

  withPages(pair, 'from the page\'s load to the open channel, 20 times', async (t, ada, bob) => {
    const sid = await bob.run('open', real.url, 'Bob');
    const times = [];
    for (let time = 0; time < 20; time++) {
      await ada.page.goto(pages.url);
      await ada.run('open', real.url, 'Ada');
      times.push(await ada.run('call', sid));
      await both(ada.run('hangUp'), bob.run('ended'));
    }
    t.diagnostic(`${median(times)} ms (median), ${Math.round(times[0])} to ${Math.round(times.at(-1))} ms`);
  }, 120);

  withPages(pair, 'the call outlives the broker, and sessions come back', async (t, ada, bob) => {
    const own = await startRealBroker('--allowed-origins', '*');
    t.after(() => own.stop('SIGKILL'));
    const [adas, bobs] = await both(ada.run('open', own.url, 'Ada'), bob.run('open', own.url, 'Bob'));
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
