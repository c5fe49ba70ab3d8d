import { test } from 'node:test';
import { application, docBlock, listed, pages, setUp, skip, until } from './tools.js';

const PAGE = 'README.md';

setUp();

test('Two browsers: each page hears the other', { skip, timeout: 60_000 }, async (t) => {
  const url = application.serve('/hello', `<!doctype html><body></body>${docBlock(PAGE, 'two browsers').code}`);
  const ada = await pages.open(t, url);
  await until(async () => (await listed('hello')).length);
  const bob = await pages.open(t, url);
  for (const page of [ada, bob]) await page.until(() => document.body.textContent.includes('Hello from the other page'));
});
