import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../client/broker.js';
import { newPage, usePages, without } from '../tools/browsers.js';
import { withoutJar } from '../tools/realbroker.js';
import { browsers, pages, real, setUp, wires } from '../tools/shared.js';
import { until } from '../tools/waiting.js';

let tests = 0;

setUp(['chromium', 'firefox'], ['--allowed-origins', '*']);

/** The test of a page with a session, and of a client elsewhere that watches it, writes to it, and knows how many are there. */
function withPage(name, what, body, settings = {}) {
  for (const wire of Object.keys(wires)) withPageOver(wire, name, what, body, settings);
}

function withPageOver(wire, name, what, body, { otherOrigin }) {
  test(`${name}: ${what}, over ${wire}`, { skip: withoutJar || without(name), timeout: 60_000 }, async (t) => {
    const tag = `life ${++tests}`;
    const other = new Broker(real.url);
    t.after(() => other.close());
    const list = other.watch(tag);
    const { page, run } = await newPage(browsers[name], pages.url, 'tab', 'tab');
    const reopen = () => run('open', otherOrigin ? real.url : '/broker', tag, name, wires[wire]);
    const there = (...sids) => {
      const seen = () => list.snapshot.map((session) => session.sid).join();
      return until(() => seen() === sids.join(), () => `${sids}, not ${seen()}`);
    };
    await usePages(t, [{ page, run }], async () => {
      const sid = await reopen();
      await there(sid);
      const cid = await run('cid');
      const client = name === 'chromium' ? await page.createCDPSession() : undefined;
      await client?.send('Page.enable');
      await body({ page, run, tag, sid, cid, other, there, reopen, client });
    });
  });
}

/** The page has gone on with its channel, and whatever was sent to it is there. */
async function resumed({ run, cid, sid, there }, ...messages) {
  assert.deepEqual(await run('got', messages.length), messages);
  await run('isIn', 'open');
  assert.equal(await run('cid'), cid);
  await there(sid);
  assert.deepEqual((await run('log')).filter(({ lost }) => lost), []);
}

withPage('chromium', 'a hidden page hears at once', async (all) => {
  const { page } = await newPage(browsers.chromium, pages.url, 'tab');
  assert.equal(await all.run('isHidden'), true);
  await all.other.send(all.sid, 'hidden');
  await resumed(all, 'hidden');
  await page.close();
  assert.equal((await all.run('log')).filter(({ resumed: isResumed }) => isResumed).length, 0);
});

withPage('chromium', 'a frozen page lets go of its stream, and has missed nothing', async (all) => {
  const { client, other, sid, there } = all;
  await client.send('Page.setWebLifecycleState', { state: 'frozen' });
  let delivery;
  do ({ delivery } = await other.send(sid, 'probe')); while (delivery !== 'queued');
  await other.send(sid, 'frozen');
  await there(sid);
  await client.send('Page.setWebLifecycleState', { state: 'active' });
  await all.page.bringToFront();
  const messages = await all.run('gotLast', 'frozen');
  assert.ok(messages.slice(0, -1).every((message) => message === 'probe'), `${messages}`);
  await resumed(all, ...messages);
});

withPage('chromium', 'a page from the back/forward cache goes on with its channel', async (all) => {
  const { page, run, other, sid, there } = all;
  await page.goto(`${pages.url}?elsewhere`);
  await other.send(sid, 'cached');
  await there(sid);
  await page.goBack();
  await resumed(all, 'cached');
  const log = await run('log');
  assert.ok(log.some(({ persisted }) => persisted), `The page was not cached: ${JSON.stringify(log)}`);
  assert.ok(log.some(({ resumed: isResumed }) => isResumed));
  await run('send', sid, 'again');
  await resumed(all, 'cached', 'again');
});

// Firefox decides before the page can let go of its stream.
withPage('firefox', 'a page that is left is not cached, and leaves the broker at once', async ({ page, there }) => {
  await page.goto(`${pages.url}?elsewhere`);
  await there();
});

// A tab of Firefox that WebDriver closes is mostly gone before its farewell: of 40 by fetch 12 arrived, of 40 by beacon 18, and of
// those that a script closes all 20 of both.
withPage('firefox', 'a tab that is closed by a script leaves the broker at once', async ({ page, tag, sid, there }) => {
  const opening = new Promise((resolve) => page.once('popup', resolve));
  await page.evaluate(() => {
    globalThis.tab = open(location.href);
  });
  const tab = await opening;
  await tab.waitForFunction(() => location.pathname === '/' && document.readyState === 'complete');
  const other = await tab.evaluate(async (name) => (await import('/test/real/tab.js')).open('/broker', name, 'tab'), tag);
  await there(sid, other);
  await page.evaluate(() => globalThis.tab.close());
  await there(sid);
});

for (const otherOrigin of [false, true]) {
  withPage('chromium', `a tab that is closed leaves the broker${otherOrigin ? ' of another origin' : ''} at once`, async ({ page, there }) => {
    await page.close();
    await there();
  }, { otherOrigin });
}

for (const name of ['chromium', 'firefox']) {
  withPage(name, 'a page that is reloaded has one session', async ({ page, there, reopen, sid }) => {
    await page.reload();
    await there();
    const next = await reopen();
    assert.notEqual(next, sid);
    await there(next);
  });
}

withPage('chromium', 'a page that was offline is back at once', async (all) => {
  const { page, other, sid, run } = all;
  await page.setOfflineMode(true);
  await run('isOnline', false);
  await other.send(sid, 'offline');
  await page.setOfflineMode(false);
  const start = Date.now();
  await resumed(all, 'offline');
  assert.ok(Date.now() - start < 10_000, `after ${Date.now() - start} ms`);
  // The stream may belong to the network that is gone, also where this browser has not cut it.
  const isResumed = async () => (await run('log')).some(({ resumed: is }) => is);
  await until(isResumed, 'another stream', 5_000);
  await run('send', sid, 'again');
  await resumed(all, 'offline', 'again');
});
