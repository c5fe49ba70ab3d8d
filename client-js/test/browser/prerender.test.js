import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { openBrowser, without } from '../tools/browsers.js';
import { end, listen } from '../tools/servers.js';
import { until } from '../tools/waiting.js';

const root = new URL('../../', import.meta.url).pathname;
const page = (body) => `<!doctype html><title>test</title>${body}`;
const bodies = {
  '/': page('<a href="/shown">on</a><script type="speculationrules">{"prerender":[{"urls":["/shown"],"eagerness":"immediate"}]}</script>'),
  '/shown': page(`<script type="module">
    import { Broker } from '/client/broker.js';
    import { pageLifecycle } from '/client/lifecycle.js';
    const loaded = new Promise((resolve) => addEventListener('pageshow', () => setTimeout(resolve)));
    new Broker('/shared').open();
    new Broker('/own', { lifecycle: pageLifecycle }).open(); // as over HTTP/2
    await loaded;
    fetch('/loaded?' + document.prerendering);
  </script>`),
};

test('a page that Chromium renders in advance opens its channel once it is shown', { skip: without('chromium'), timeout: 60_000 }, async (t) => {
  const requests = [];
  const server = createServer(({ url }, response) => {
    requests.push(url);
    if (url.startsWith('/client/')) {
      response.setHeader('Content-Type', 'text/javascript');
      return createReadStream(root + url).pipe(response);
    }
    response.writeHead(bodies[url] ? 200 : 503, { 'Content-Type': 'text/html' }).end(bodies[url]);
  });
  const url = `http://localhost:${await listen(server)}/`;
  t.after(() => end(server));
  const browser = await openBrowser('chromium');
  t.after(browser.close);
  const tab = await browser.newPage();
  await tab.goto(url);
  const opening = () => ['/shared', '/own'].filter((path) => requests.some((request) => request.startsWith(`${path}/channel`)));
  await until(() => requests.includes('/loaded?true'), () => `the page in advance: ${requests}`);
  assert.deepEqual(opening(), []);
  await tab.click('a');
  await until(() => opening().length === 2, () => `its channels: ${requests}`);
});
