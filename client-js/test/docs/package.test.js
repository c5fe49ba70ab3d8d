import { test } from 'node:test';
import { Broker } from '../../client/broker.js';
import { application, docBlock, pages, real, setUp, skip, workspace } from './tools.js';

const PAGE = 'client-js/README.md';

setUp();

test('Who comes is greeted, and who greets is greeted; nothing else is answered', { skip, timeout: 60_000 }, async (t) => {
  const script = await workspace.bundle(`
    ${docBlock(PAGE, 'hello').code.replace('const broker', 'const broker = globalThis.broker')}
  `);
  const page = await pages.open(t, application.serve('/hello', '', script));
  await page.until(() => globalThis.broker?.state === 'open');
  const ada = new Broker(real.url);
  t.after(() => ada.close());
  const heard = [];
  const both = new Promise((resolve) => ada.addEventListener('message', ({ detail }) => {
    heard.push(detail.message);
    if (heard.length === 1) detail.reply('Thank you').then(() => detail.reply('Hello'));
    if (heard.includes('Hello yourself')) resolve();
  }));
  await ada.host({ tags: ['chat'], listed: true });
  await both;
  // A page that answers everything talks for ever with another one like it.
  if (String(heard) !== 'Hello,Hello yourself') throw new Error(`Heard ${heard}`);
});
