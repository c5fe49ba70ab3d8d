import { test } from 'node:test';
import { until } from '../tools/waiting.js';
import { application, docBlock, listed, pages, setUp, skip } from './tools.js';

const PAGE = 'README.md';

setUp();

test('Two browsers: each page hears the other', { skip, timeout: 60_000 }, async (t) => {
  // Each page says its own name, so that one that hears itself is noticed.
  const script = docBlock(PAGE, 'two browsers').code.replace("'Hello from the other page. '", 'location.search');
  const url = application.serve('/hello', `<!doctype html><body></body>${script}`);
  const ada = await pages.open(t, `${url}?ada`);
  await until(async () => (await listed('hello')).length);
  const bob = await pages.open(t, `${url}?bob`);
  for (const [page, other] of [[ada, 'bob'], [bob, 'ada']]) {
    await page.until((name) => document.body.textContent.includes(`?${name}`), other);
  }
});
