import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage, openBrowser, usePages, without } from '../tools/browsers.js';
import { withoutJar } from '../tools/realbroker.js';
import { pages, setUp } from '../tools/shared.js';

let tests = 0;

setUp();

/** So many pages of one browser over HTTP/1.1, each in a tab or a window of its own. The last one is visible. */
async function openTabs(t, name, count, type) {
  const browser = await openBrowser(name);
  t.after(browser.close);
  const tag = `tabs ${++tests}`;
  const tabs = [];
  while (tabs.length < count) {
    const { page, run } = await newPage(browser, pages.url, type, 'tab');
    tabs.push({ page, run, sid: await run('open', '/broker', tag, tabs.length) });
  }
  return tabs;
}

const all = (tabs, ...rest) => Promise.all(tabs.map(({ run }) => run(...rest)));

function withTabs(name, count, type, what, body) {
  test(`${name} ${count} ${type}s over HTTP/1.1: ${what}`, { skip: withoutJar || without(name), timeout: 120_000 }, async (t) => {
    const tabs = await openTabs(t, name, count, type);
    await usePages(t, tabs, () => body(t, tabs));
  });
}

/** With eight pages, three wait for the four or five places of hidden ones: a turn of five seconds, and the rest for a slow machine. */
const LATEST = 12_000;

for (const [name, count, type] of [['chromium', 6, 'tab'], ['chromium', 8, 'tab'], ['chromium', 7, 'window'], ['firefox', 7, 'tab']]) {
  withTabs(name, count, type, 'All see each other and messages arrive', async (t, tabs) => {
    const numbers = tabs.map((_, i) => i);
    for (const seen of await all(tabs, 'sees', count)) assert.deepEqual(seen, numbers);
    const hidden = (await all(tabs, 'isHidden')).filter(Boolean).length;
    t.diagnostic(`hidden: ${hidden}; states: ${await all(tabs, 'state')}`);
    if (type === 'tab') assert.equal(await tabs.at(-1).run('state'), 'open');

    const answers = await all(tabs, 'ask');
    const slowest = Math.round(Math.max(...answers));
    assert.ok(slowest < 3_000, `a request took ${slowest} ms`);

    const start = Date.now();
    const sent = Promise.all(tabs.map(async ({ run }, from) => {
      for (const { sid } of tabs) await run('send', sid, from);
    }));
    const got = await Promise.all(tabs.map(async ({ run }) => {
      const messages = await run('got', count, 2 * LATEST);
      return { messages: messages.sort(), after: Date.now() - start };
    }));
    await sent;
    for (const { messages } of got) assert.deepEqual(messages, numbers);
    t.diagnostic(`slowest request ${slowest} ms; messages from each to each after ${got.map(({ after: ms }) => ms)} ms`);
    // A page without a stream waits for its turn to send, and the other for its turn to receive.
    assert.ok(got.every(({ after: ms }) => ms < 2 * LATEST));

    // Nobody's channel was lost.
    for (const log of await all(tabs, 'log')) assert.ok(!log.some(({ lost }) => lost), JSON.stringify(log));
  });
}

withTabs('chromium', 8, 'tab', 'one that comes to the front has its stream at once', async (t, tabs) => {
  for (let time = 0; time < 2; time++) {
    for (const { page, run } of tabs) {
      const start = Date.now();
      await page.bringToFront();
      await run('isIn', 'open');
      const took = Date.now() - start;
      assert.ok(took < 3_000, `a page that was brought to the front had its stream after ${took} ms`);
    }
  }
  const [first, , last] = tabs;
  const from = Date.now();
  await last.run('send', first.sid, 'late');
  await first.run('got', 1, LATEST);
  t.diagnostic(`a message to a hidden page arrived after ${Date.now() - from} ms`);
});
