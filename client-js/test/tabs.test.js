import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedLifecycle } from '../client/tabs.js';
import { FakeLocks } from './tools/locks.js';
import { settle } from './tools/waiting.js';

/** Pages of one browser on fake time. Each has a life-cycle whose stream it has where `isOpen`. */
function browser(t, { nextHopProtocol = 'http/1.1', locks = new FakeLocks() } = {}) {
  const clock = { now: 1_800_000_000_000 };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(Date, 'now', () => clock.now);
  const globals = ['document', 'addEventListener', 'navigator', 'performance'].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  const set = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  t.after(() => globals.forEach(([name, was]) => (was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name])));
  set('navigator', { locks });
  set('performance', { getEntriesByType: () => [{ nextHopProtocol }] });
  const pages = [];
  return {
    clock,
    pages,
    open: () => pages.map(({ isOpen }, i) => (isOpen ? i : '')).join(''),
    async page(hidden) {
      const global = new EventTarget();
      const document = Object.assign(new EventTarget(), { hidden });
      set('document', document);
      set('addEventListener', global.addEventListener.bind(global));
      const page = {
        isOpen: true, // unless it is told to sleep
        turns: 0,
        says: (type, values) => {
          (type.startsWith('page') || type === 'online' ? global : document).dispatchEvent(Object.assign(new Event(type), values));
          return settle();
        },
        shows: (isShown) => {
          document.hidden = !isShown;
          return page.says('visibilitychange');
        },
      };
      const close = sharedLifecycle({
        sleep: () => {
          page.isOpen = false;
        },
        wake: () => {
          if (!page.isOpen) page.turns++;
          page.isOpen = true;
          const most = locks.constructor === FakeLocks && nextHopProtocol === 'http/1.1' ? 5 : Infinity;
          assert.ok(pages.filter(({ isOpen }) => isOpen).length <= most, 'too many streams');
        },
        leave: () => {
          page.hasLeft = true;
        },
      });
      page.close = () => {
        page.isOpen = false;
        close();
      };
      pages.push(page);
      await settle();
      return page;
    },
    async tick(milliseconds) {
      for (let i = 0; i < milliseconds; i += 500) {
        clock.now += 500;
        t.mock.timers.tick(500);
        await settle();
      }
    },
  };
}

test('five pages have a stream each, for as long as nobody else wants one', async (t) => {
  const { page, open, tick } = browser(t);
  for (let i = 0; i < 5; i++) await page(i < 4);
  await tick(60_000);
  assert.equal(open(), '01234');
});

test('a visible page takes the stream of the hidden one that has had it for the longest', async (t) => {
  const { page, pages, open, tick } = browser(t);
  for (let i = 0; i < 5; i++) {
    await page(true);
    await tick(500);
  }
  await page(false);
  assert.equal(open(), '12345');
  await pages[5].shows(false);
  await pages[0].shows(true);
  assert.equal(open(), '02345');
  await pages[0].says('visibilitychange');
  assert.equal(open(), '02345');
});

test('a page that is visible keeps its stream while hidden ones take turns', async (t) => {
  const { page, pages, tick } = browser(t);
  const visible = await page(false);
  for (let i = 0; i < 7; i++) await page(true);
  const longest = pages.map(() => 0);
  const since = pages.map(() => 0);
  for (let time = 0; time < 60_000; time += 500) {
    await tick(500);
    pages.forEach(({ isOpen }, i) => {
      since[i] = isOpen ? 0 : since[i] + 500;
      longest[i] = Math.max(longest[i], since[i]);
    });
  }
  assert.equal(visible.turns, 1);
  // Three wait for the places of four: a turn of five seconds, and up to a second until one looks again.
  assert.ok(Math.max(...longest) <= 6_500, `${longest}`);
  assert.ok(pages.every(({ turns }) => turns < 14), `${pages.map(({ turns }) => turns)}`);
});

test('thirty hidden pages all have their turn within a minute', async (t) => {
  const { page, pages, tick } = browser(t);
  for (let i = 0; i < 30; i++) await page(true);
  await tick(60_000);
  const before = pages.map(({ turns, isOpen }) => turns - isOpen);
  assert.ok(Math.min(...before) >= 1, `${before}`);
});

test('six visible pages share by turns, and a hidden one comes for a glance', async (t) => {
  const { page, pages, open, tick } = browser(t);
  for (let i = 0; i < 6; i++) await page(false);
  assert.equal(open(), '01234');
  await tick(7_000);
  assert.ok(pages[5].isOpen);
  await pages[5].shows(false);
  await pages[0].shows(false);
  await tick(60_000);
  assert.ok(pages[0].turns > 5 && pages[5].turns > 5, `${pages.map(({ turns }) => turns)}`);
});

test('a page that sleeps or ends makes room, also while it waits', async (t) => {
  const { page, pages, open, tick } = browser(t);
  for (let i = 0; i < 7; i++) await page(false);
  pages[5].close();
  await pages[0].says('pagehide', { persisted: true });
  await tick(1_000);
  assert.equal(open(), '12346');
  await pages[0].shows(false); // a page is hidden after it has gone into the cache
  await tick(10_000);
  assert.equal(open(), '12346');
  pages[1].close();
  await pages[0].says('pageshow', { persisted: true });
  await tick(1_000);
  assert.ok(pages[0].isOpen);
  assert.ok(!pages[5].isOpen);
  await pages[2].says('pagehide', { persisted: false });
  assert.ok(pages[2].hasLeft);
});

test('a page that ends while it waits keeps the next one waiting no longer', async (t) => {
  const { page, pages, open, tick } = browser(t);
  for (let i = 0; i < 7; i++) await page(false);
  await tick(4_500);
  pages[5].close();
  pages[0].close();
  await settle();
  assert.equal(open(), '12346');
});

test('a clock that is set back keeps nobody waiting', async (t) => {
  const { page, pages, tick, clock } = browser(t);
  for (let i = 0; i < 6; i++) await page(false);
  clock.now -= 3_600_000;
  await tick(1_000);
  assert.ok(pages[5].isOpen);
});

test('over HTTP/2, without locks, and where they are blocked, every page has its stream', async (t) => {
  const blocked = { request: async () => Promise.reject(new DOMException('no', 'SecurityError')), query: async () => ({ held: [] }) };
  for (const [how, options] of [['HTTP/2', { nextHopProtocol: 'h2' }], ['without', { locks: null }], ['blocked', { locks: blocked }]]) {
    await t.test(how, async (inner) => {
      const { page, open } = browser(inner, options);
      for (let i = 0; i < 7; i++) await page(true);
      assert.equal(open(), '0123456');
    });
  }
});
