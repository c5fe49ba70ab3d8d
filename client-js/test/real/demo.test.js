import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { without } from '../tools/browsers.js';
import { withoutJar } from '../tools/realbroker.js';
import { browsers, real, setUp } from '../tools/shared.js';

const options = { skip: withoutJar || without('chromium'), timeout: 120_000 };
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true };
const DESKTOP = { width: 1280, height: 800 };

setUp(['chromium']);

/** The demo page in a tab, and who uses it by the keyboard alone. */
async function visit(name, viewport) {
  const page = await browsers.chromium.newPage({ type: 'window' });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.stack));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.setViewport(viewport);
  await page.goto(new URL('/', real.url).href);
  const words = (selector, text) => page.waitForFunction((selected, wanted) => [...document.querySelectorAll(selected)]
    .some((element) => element.checkVisibility() && element.textContent.includes(wanted)), { timeout: 30_000, polling: 100 }, selector, text);
  /** Tab leads there; Shift+Tab, back. Each stop on the way can be seen to have the focus. */
  const tabTo = async (text, key = 'Tab') => {
    await page.bringToFront();
    for (let steps = 0; steps < 40; steps++) {
      if (key === 'Tab') await page.keyboard.press('Tab');
      else {
        await page.keyboard.down('Shift');
        await page.keyboard.press('Tab');
        await page.keyboard.up('Shift');
      }
      const { label, outline, tag } = await page.evaluate(() => {
        const element = document.activeElement;
        const named = element.labels?.[0]?.textContent ?? element.getAttribute('aria-label') ?? element.textContent;
        return { label: named, outline: getComputedStyle(element).outlineStyle, tag: element.tagName };
      });
      // The controls of a video are the browser's, and so is their outline.
      if (tag !== 'VIDEO') assert.notEqual(outline, 'none', `the focus on "${label}" cannot be seen`);
      if (label.includes(text)) return;
    }
    assert.fail(`Tab does not lead to "${text}"`);
  };
  await page.waitForSelector('#join:not([disabled])');
  await page.bringToFront();
  await page.keyboard.type(name); // the field has the focus from the start
  await page.keyboard.press('Enter');
  await words('#status-words', 'You are online.');
  return { page, errors, words, tabTo };
}

/** What axe-core finds, in light and in dark. */
async function assertAccessible(page, what) {
  await page.bringToFront();
  await page.evaluate(await readFile(AXE, 'utf8'));
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' }, // a message that is still arriving has no contrast yet
    ]);
    const found = await page.evaluate(async () => (await globalThis.axe.run())
      .violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ target }) => target)}`));
    assert.deepEqual(found, [], `${what}, ${scheme}`);
  }
}

const showsPicture = (page) => page.waitForFunction(() => {
  const { hidden, videoWidth, currentTime } = document.getElementById('theirs');
  return !hidden && videoWidth > 0 && currentTime > 0;
}, { timeout: 30_000, polling: 100 });

test('The demo is used by the keyboard alone, and axe finds nothing in it', options, async () => {
  const ada = await visit('Ada', DESKTOP);
  const bob = await visit('Bob', PHONE);
  await assertAccessible(ada.page, 'the list');
  await assertAccessible(bob.page, 'the list on a phone');

  await ada.tabTo('Bob');
  await ada.page.keyboard.press('Enter');
  await ada.words('#chat-state', 'Connected, browser to browser');
  await ada.page.keyboard.type('Good morning!');
  await ada.page.keyboard.press('Enter');
  await bob.words('#incoming', 'Ada has called you');
  await assertAccessible(bob.page, 'a call on a phone');
  await bob.tabTo('Open the chat', 'Shift+Tab');
  await bob.page.keyboard.press('Enter');
  await bob.words('#log .them', 'Good morning!');

  await ada.tabTo('Show test pattern', 'Shift+Tab');
  await ada.page.keyboard.press('Enter');
  await showsPicture(bob.page);
  await bob.tabTo('Show camera', 'Shift+Tab');
  await bob.page.keyboard.press('Enter');
  await showsPicture(ada.page);
  await assertAccessible(ada.page, 'pictures both ways');
  await assertAccessible(bob.page, 'pictures on a phone');
  assert.equal(await bob.page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);

  await ada.tabTo('Stop showing');
  await ada.page.keyboard.press('Enter');
  await bob.page.waitForFunction(() => document.getElementById('theirs').hidden, { timeout: 30_000, polling: 100 });
  assert.deepEqual([...ada.errors, ...bob.errors], []);
});
