import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Broker } from '../../client/broker.js';
import { startRealBroker } from '../tools/realbroker.js';
import { once, until } from '../tools/waiting.js';
import { application, docBlock, listed, pages, real, setUp, skip, startApplication, workspace } from './tools.js';

const PAGE = 'docs/client-js.md';
const options = { skip, timeout: 60_000 };

setUp();

function client(t, more) {
  const broker = new Broker(real.url, more);
  t.after(() => broker.close());
  return broker;
}

const playing = (count) => [...document.querySelectorAll('video')].filter(({ videoWidth }) => videoWidth).length === count;

test('The first call: two pages see each other, and read what the other types', options, async (t) => {
  const url = application.serve('/first-call', docBlock(PAGE, 'first call').code);
  const ada = await pages.open(t, url);
  await until(async () => (await listed('first-call')).length === 1);
  const bob = await pages.open(t, url);
  for (const page of [ada, bob]) await page.until(playing, 2);
  for (const [one, other, text] of [[ada, bob, 'Hello Bob'], [bob, ada, 'Hello Ada']]) {
    await one.type('#text', `${text}\n`);
    await other.until((expected) => document.getElementById('said').textContent === `${expected}\n`, text);
  }
});

test('Chat: people find each other by their tags, and one hears what the other says', options, async (t) => {
  const script = await workspace.bundle(docBlock(PAGE, 'chat').code);
  const url = application.serve('/chat', '<div id="people"></div><pre id="said"></pre>', script);
  const other = await client(t).host({ tags: ['chat', 'lang:fr'], listed: true, metadata: { name: 'Zoé' } });
  const [ada, bob] = [await pages.open(t, url, (page) => (page.answer = 'Ada')), await pages.open(t, url, (page) => (page.answer = 'Bob'))];
  await ada.until(() => document.getElementById('people').textContent === 'Bob');
  await bob.until(() => document.getElementById('people').textContent === 'Ada');
  await bob.click('#people button');
  await ada.until(() => document.getElementById('said').textContent === 'Bob: Hello\n');
  await ada.close();
  await bob.until(() => document.getElementById('people').textContent === '');
  await other.close();
});

test('Room: three see each other, and one leaves', options, async (t) => {
  const url = application.serve('/room', docBlock(PAGE, 'room').code);
  const all = [await pages.open(t, url), await pages.open(t, url), await pages.open(t, url)];
  for (const page of all) await page.until(playing, 3);
  const [ada, ...others] = all;
  await ada.close();
  for (const page of others) await page.until(() => document.querySelectorAll('video').length === 2);
});

test('React: the list is rendered, also in StrictMode, and on the server it is empty', options, async (t) => {
  const { language, code } = docBlock(PAGE, 'react');
  const script = await workspace.bundle(`
    import { StrictMode } from 'react';
    import { createRoot } from 'react-dom/client';
    ${code}
    createRoot(document.getElementById('root')).render(<StrictMode><People /></StrictMode>);
  `, language);
  const session = await client(t).host({ tags: ['chat'], listed: true, metadata: { name: 'Grace' } });
  const page = await pages.open(t, application.serve('/react', '<div id="root"></div>', script));
  await page.until(() => document.querySelector('ul')?.outerHTML === '<ul aria-busy="false"><li>Grace</li></ul>');
  await session.update({ metadata: { name: 'Hopper' } });
  await page.until(() => document.querySelector('ul').textContent === 'Hopper');
  await session.close();
  await page.until(() => document.querySelector('ul').textContent === '');

  await workspace.write('server.js', await workspace.bundle(`
    import { renderToString } from 'react-dom/server.edge';
    ${code}
    console.log(renderToString(<People />));
  `, language));
  assert.equal(await workspace.node(['server.js']).ended, '<ul aria-busy="true"></ul>\n');
});

test('Tokens: each request has a fresh one, and a refusal leads to the login', options, async (t) => {
  const script = await workspace.bundle(docBlock(PAGE, 'tokens').code);
  const url = application.serve('/tokens', '<script>let tokens = 0; const freshToken = async () => `token ${++tokens}`;</script>', script);
  application.serve('/login', '<title>Login</title>');
  const sent = () => application.requests.map(({ headers }) => headers.authorization).filter((value) => value);
  const page = await pages.open(t, url);
  await until(() => sent().length);
  // A page that has slept opens its stream again.
  await page.evaluate(() => ['freeze', 'resume'].forEach((type) => document.dispatchEvent(new Event(type))));
  await until(() => sent().includes('Bearer token 2'));
  assert.equal(sent()[0], 'Bearer token 1');
  application.refuse = ({ url: path }) => path.startsWith('/broker/channel?') && [403, 'denied'];
  t.after(() => (application.refuse = () => false));
  await page.goto(url);
  await page.until(() => document.title === 'Login');
});

test('Check: what is not as expected is reported, and nothing else', options, async (t) => {
  const script = await workspace.bundle(`${docBlock(PAGE, 'check').code}
    broker.addEventListener('message', ({ detail }) => { document.body.dataset.heard = JSON.stringify(detail.message); });
    const watch = broker.watch('check');
    watch.subscribe(() => { document.body.dataset.names = watch.snapshot.map(({ metadata }) => metadata.name); });
    await broker.host({ tags: ['checked'], listed: true });
  `);
  const page = await pages.open(t, application.serve('/check', '<body></body>', script));
  await until(async () => (await listed('checked')).length);
  const [{ sid }] = await listed('checked');
  const ada = client(t);
  await ada.host({ tags: ['check'], listed: true, metadata: { name: ['Eve'] } });
  await ada.host({ tags: ['check'], listed: true, metadata: null });
  await ada.host({ tags: ['check'], listed: true, metadata: { name: 'Ada', extra: 1 } });
  await page.until(() => document.body.dataset.names === 'Ada');
  await ada.send(sid, { text: 7 });
  await ada.send(sid, { text: 'Hello', html: '<b>' });
  await page.until(() => document.body.dataset.heard === '{"text":"Hello"}');
  assert.equal(page.said.filter((line) => /Not a text of at most (40|2000) characters/.test(line)).length, 2, page.said.join('\n'));
});

test('Types: the block compiles, and wrong use does not', { timeout: 60_000 }, async () => {
  const { code } = docBlock(PAGE, 'types');
  await workspace.check('types.ts', code);
  await assert.rejects(workspace.check('types.ts', code.replace("'white' }", "'red' }")), /not assignable/);
});

test('Testing: the test passes, and notices answers that are really lost', options, async () => {
  const { code } = docBlock(PAGE, 'testing');
  const env = { BROKER_URL: real.url };
  await workspace.write('lossy.test.js', code);
  assert.match(await workspace.node(['--test', 'lossy.test.js'], env).ended, /pass 1/);
  await workspace.write('lossy.test.js', code.replace('assert.deepEqual(received, [1', 'assert.deepEqual(received, [1, 1'));
  await assert.rejects(workspace.node(['--test', 'lossy.test.js'], env).ended, /fail 1/);
});

test('Node: a page calls a peer in Node, which answers', options, async (t) => {
  await workspace.write('echo.js', docBlock(PAGE, 'node').code);
  const echo = workspace.node(['echo.js'], { BROKER_URL: real.url });
  t.after(echo.stop);
  await until(async () => (await listed('echo')).length);
  const script = await workspace.bundle(`
    import { Broker, Peer } from '@peerbroker/client';
    const broker = new Broker('/broker');
    for await (const { sid } of broker.list('echo')) {
      const peer = await Peer.call(broker, sid).opened;
      peer.addEventListener('message', ({ detail }) => { document.title = detail; });
      await peer.send('Enjoy');
    }
  `);
  const page = await pages.open(t, application.serve('/node', '', script));
  await page.until(() => document.title === 'Enjoy yourself');
});

const paths = () => application.requests.map(({ method, url }) => `${method} ${url.replace(/[?].*/, '')}`);

test('WebSocket: all but the end of the channel goes over it', options, async (t) => {
  const script = await workspace.bundle(`${docBlock(PAGE, 'websocket').code}
    broker.addEventListener('message', ({ detail }) => {
      document.title = detail.message;
      detail.reply('Hello yourself');
    });
    await broker.host({ tags: ['websocket'], listed: true });
  `);
  application.requests.length = 0;
  const page = await pages.open(t, application.serve('/websocket', '', script));
  await until(async () => (await listed('websocket')).length);
  const [{ sid }] = await listed('websocket');
  const ada = client(t);
  const replied = once(ada, 'message');
  await ada.send(sid, 'Hello');
  assert.equal((await replied).message, 'Hello yourself');
  assert.equal(await page.title(), 'Hello');
  assert.deepEqual(paths(), ['GET /broker/socket']);
  await page.close();
  await until(() => paths().some((path) => /^POST .broker.channel.*close$/.test(path)));
});

test('WebSocket: a token goes with the handshake', options, async (t) => {
  const { code } = docBlock(PAGE, 'websocket, token');
  const script = await workspace.bundle(`const freshToken = async () => 'abc';\n${code}\nbroker.addEventListener('state', () => { document.title = broker.state; });\nbroker.open();`);
  const page = await pages.open(t, application.serve('/websocket-token', '', script));
  await page.until(() => document.title === 'open');
  assert.ok(application.requests.some(({ url }) => url.startsWith('/broker/socket?') && url.endsWith('&access_token=abc')));
});

test('WebSocket: in Node it has headers', options, async (t) => {
  await workspace.write('socket.js', `const freshToken = async () => 'abc';\n${docBlock(PAGE, 'websocket, node').code}`);
  const node = workspace.node(['socket.js'], { BROKER_URL: `${application.url}/broker` });
  t.after(node.stop);
  await until(async () => (await listed('node')).length);
  const { headers } = application.requests.findLast(({ url }) => url.startsWith('/broker/socket?'));
  assert.equal(headers.authorization, 'Bearer abc');
});

test('EventSource: the stream comes by it, and messages arrive', options, async (t) => {
  const script = await workspace.bundle(`${docBlock(PAGE, 'eventsource').code}
    broker.addEventListener('message', ({ detail }) => { document.title = detail.message; });
    await broker.host({ tags: ['eventsource'], listed: true });
  `);
  const page = await pages.open(t, application.serve('/eventsource', '', script));
  await until(async () => (await listed('eventsource')).length);
  const [{ sid }] = await listed('eventsource');
  await client(t).send(sid, 'Hello');
  await page.until(() => document.title === 'Hello');
  assert.ok(application.requests.some(({ url, headers }) => /heartbeat=event/.test(url) && headers.accept === 'text/event-stream'));
});

test('EventSource: a token goes with the stream', options, async (t) => {
  const { code } = docBlock(PAGE, 'eventsource, token');
  const script = await workspace.bundle(`const freshToken = async () => 'abc';\n${code}\nbroker.addEventListener('state', () => { document.title = broker.state; });\nbroker.open();`);
  const page = await pages.open(t, application.serve('/eventsource-token', '', script));
  await page.until(() => document.title === 'open');
  assert.ok(application.requests.some(({ url }) => url.startsWith('/broker/channel?') && url.endsWith('&access_token=abc&heartbeat=event')));
});

test('React Native: with stand-ins for its packages a call opens, and the stream follows AppState', options, async (t) => {
  const { code } = docBlock(PAGE, 'react native');
  assert.ok(code.includes("'https://example.org/broker'"));
  const script = await workspace.bundle(`${code.replace("'https://example.org/broker'", "'/broker'")}
    await broker.host({ tags: ['native'], listed: true });
    Object.assign(globalThis, { broker });
  `, 'js', {
    'react-native': `
      const listeners = new Set();
      globalThis.appState = (state) => listeners.forEach((listener) => listener(state));
      export const AppState = {
        addEventListener(type, listener) {
          listeners.add(listener);
          return { remove: () => listeners.delete(listener) };
        },
      };`,
    'react-native-sse': 'export default globalThis.EventSource;',
    'react-native-webrtc': 'export const { RTCPeerConnection } = globalThis;',
  });
  const page = await pages.open(t, application.serve('/native', '', script));
  await page.until(() => globalThis.broker?.state === 'open');
  await page.evaluate(async () => {
    const { Broker: Other, Peer: OtherPeer } = await import('/broker/client.js');
    const other = new Other('/broker');
    for await (const { sid } of other.list('native')) await OtherPeer.call(other, sid).opened;
    await other.close();
  });
  await page.evaluate(() => globalThis.appState('background'));
  assert.equal(await page.evaluate(() => globalThis.broker.state), 'away');
  await page.evaluate(() => globalThis.appState('active'));
  await page.until(() => globalThis.broker.state === 'open');
});

test('Life cycle: after a new start of the broker the page says what is lost, and where its session is', options, async (t) => {
  const own = await startRealBroker();
  t.after(() => own.stop('SIGKILL'));
  const ownApplication = await startApplication(own.port);
  t.after(ownApplication.close);
  const script = await workspace.bundle(docBlock(PAGE, 'life cycle').code);
  const page = await pages.open(t, ownApplication.serve('/desk', '<p id="notice"></p>', script));
  await until(async () => (await listed('desk', own.url)).length);
  const [{ sid: was }] = await listed('desk', own.url);
  await own.stop('SIGKILL');
  await own.start();
  await page.until(() => document.getElementById('notice').textContent.startsWith('Connected again.'));
  const [{ sid }] = await listed('desk', own.url);
  await until(() => page.said.includes(`${was} is now ${sid}`), () => page.said.join('\n'));
});

test('Errors: each outcome has its words', options, async (t) => {
  await workspace.write('errors.js', docBlock(PAGE, 'errors').code);
  const { tell } = await import(pathToFileURL(`${workspace.folder}/errors.js`));
  const [ada, bob] = [client(t), client(t)];
  assert.equal(await tell(ada, await bob.ready(), 'Hello'), 'on its way');
  assert.equal(await tell(ada, crypto.randomUUID(), 'Hello'), 'has left');
  await assert.rejects(tell(ada, bob.cid, 10n), TypeError);
  assert.match(await tell(ada, bob.cid, 'x'.repeat(100_000)), /^refused: /);
  const lost = client(t, { fetch: (url, init) => (url.includes('/send/') ? Promise.reject(new TypeError('lost')) : fetch(url, init)) });
  await lost.ready();
  const said = tell({ send: (sid, message) => lost.send(sid, message, { within: 500 }) }, bob.cid, 'Hello');
  assert.equal(await said, 'perhaps on its way');
  await ada.close();
  assert.match(await tell(ada, bob.cid, 'Hello'), /^refused: .*closed/);
});

