import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage, usePages, without } from '../tools/browsers.js';
import { startRealBroker, withoutJar } from '../tools/realbroker.js';
import { browsers, pages, setUp } from '../tools/shared.js';

/** Over HTTP/1.1 a browser makes six connections to an origin, and far more WebSockets. */
const TABS = 8;

setUp(['chromium', 'firefox']);

const come = async (name, module) => newPage(browsers[name], pages.url, 'tab', module);

for (const name of ['chromium', 'firefox']) {
  const options = { skip: withoutJar || without(name), timeout: 60_000 };

  test(`${name}: a page of an origin that is not admitted sees a broken connection, as browsers show no more`, options, async (t) => {
    const own = await startRealBroker('--allowed-origins', 'https://elsewhere.example');
    t.after(() => own.stop('SIGKILL'));
    const page = await come(name);
    await usePages(t, [page], async () => {
      assert.equal(await page.run('refusal', own.url, { transport: 'websocket' }), 'unreachable');
    });
  });

  test(`${name}: at capacity a page is told when to come back, and does`, options, async (t) => {
    const own = await startRealBroker('--allowed-origins', '*', '--max-channels', '1');
    t.after(() => own.stop('SIGKILL'));
    const [ada, bob] = [await come(name), await come(name)];
    await usePages(t, [ada, bob], async () => {
      await ada.run('open', own.url, 'Ada', { transport: 'websocket' });
      assert.equal(await bob.run('refusal', own.url, { transport: 'websocket' }), 'at_capacity');
      const opening = bob.run('open', own.url, 'Bob', { transport: 'websocket' });
      await ada.page.close();
      await opening;
    });
  });

  test(`${name}: two meet in a room`, options, async (t) => {
    const own = await startRealBroker('--allowed-origins', '*');
    t.after(() => own.stop('SIGKILL'));
    const names = ['Ada', 'Bob'];
    const all = await Promise.all(names.map(() => come(name)));
    await usePages(t, all, async () => {
      await Promise.all(all.map(({ run }, i) => run('enter', own.url, names[i], { transport: 'websocket' })));
      await Promise.all(all.map(({ run }, i) => run('meets', [names[1 - i]])));
      await Promise.all(all.map(({ run }, i) => run('greets', [names[1 - i]])));
    });
  });

  test(`${name}: each of ${TABS} tabs over HTTP/1.1 has its own`, options, async (t) => {
    const all = [];
    await usePages(t, all, async () => {
      while (all.length < TABS) all.push(await come(name, 'tab'));
      const sids = await Promise.all(all.map(({ run }, i) => run('open', '/broker', `sockets ${name}`, i, { transport: 'websocket' })));
      assert.deepEqual([...new Set(await Promise.all(all.map(({ run }) => run('state'))))], ['open']);
      await Promise.all(all.map(({ run }, from) => run('send', sids[(from + 1) % TABS], from)));
      const got = await Promise.all(all.map(({ run }) => run('got', 1)));
      assert.deepEqual(got.map(([from]) => from), sids.map((_, i) => (i + TABS - 1) % TABS));
      await Promise.all(all.map(({ run }) => run('sees', TABS)));
      for (const state of await Promise.all(all.map(({ run }) => run('state')))) assert.equal(state, 'open');
    });
  });
}
