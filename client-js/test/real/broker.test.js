import assert from 'node:assert/strict';
import { test as testOne } from 'node:test';
import WebSocket from 'ws';
import { Broker } from '../../client/broker.js';
import { fetchStream } from '../../client/stream.js';
import { webSocket } from '../../client/websocket.js';
import { startProxy, startRealBroker, withoutJar } from '../tools/realbroker.js';
import { real, setUp } from '../tools/shared.js';
import { once, until } from '../tools/waiting.js';

const options = { skip: withoutJar, timeout: 60_000 };
const ICE = 'stun:127.0.0.1:3478';

setUp([], ['--ice-server', ICE, '--heartbeat', '500ms']);

const socket = webSocket(WebSocket);
let streams = 0;
/** Each connection is of the other kind than the one before. */
const byTurns = (...values) => (streams++ % 2 ? socket : fetchStream)(...values);
const wires = { 'a stream': undefined, 'a WebSocket': socket, 'both by turns': byTurns };
let transport;
let tests = 0;

/** Each test runs over each wire, one after the other. */
function test(name, testOptions, body, only = Object.keys(wires)) {
  for (const wire of only) {
    testOne(`${name}, over ${wire}`, testOptions, (t) => {
      transport = wires[wire];
      return body(t);
    });
  }
}

function client(t, url = real.url, more = {}) {
  const broker = new Broker(url, { delay: () => 50, transport, ...more });
  t.after(() => broker.close());
  return broker;
}

/** All messages, and a promise for the time when there are so many. */
function collect(broker) {
  const got = [];
  broker.addEventListener('message', ({ detail }) => got.push(detail.message));
  const count = async (most) => {
    while (got.length < most) await once(broker, 'message');
    return got;
  };
  return { got, count };
}

const take = async (iterable) => {
  const all = [];
  for await (const one of iterable) all.push(one);
  return all;
};

test('A session is hosted, found, written to, changed and closed', options, async (t) => {
  const [ada, bob] = [client(t), client(t)];
  const session = await ada.host({ tags: ['chat', 'de'], listed: true, metadata: { name: 'Ada' } });
  assert.deepEqual(await take(bob.list('chat,!away')), [{ sid: session.sid, tags: ['chat', 'de'], metadata: { name: 'Ada' } }]);
  ada.addEventListener('message', ({ detail }) => detail.reply({ echo: detail.message }));
  const reply = once(bob, 'message');
  assert.deepEqual(await bob.send(session.sid, 'hello'), { delivery: 'sent' });
  assert.equal((await reply).origin, session.sid);
  await session.update({ tags: ['chat', 'away'] });
  assert.deepEqual(await take(bob.list('chat,!away')), []);
  const [{ own }] = await take(ada.list('chat'));
  assert.equal(own, true);
  await session.close();
  assert.deepEqual(await take(bob.list('chat')), []);
  await assert.rejects(bob.send(session.sid, 'hello'), { code: 'unknown_target' });
});

test('A list of several pages is read to its end', options, async (t) => {
  const ada = client(t);
  const sessions = await Promise.all(Array.from({ length: 7 }, (_, i) => ada.host({ tags: ['pages'], listed: true, metadata: i })));
  const pages = [];
  const counting = client(t, real.url, { fetch: (url, init) => (pages.push(url), fetch(url, init)) });
  assert.deepEqual((await take(counting.list('pages', { limit: 3 }))).map(({ sid }) => sid).sort(), sessions.map(({ sid }) => sid).sort());
  assert.equal(pages.length, 3);
});

test('What the application has configured as ICE servers is told', options, async (t) => {
  const ada = client(t);
  assert.deepEqual(await ada.iceServers(), [{ urls: [ICE] }]);
});

test('A channel whose stream was cut goes on, and nothing was missed', options, async (t) => {
  const proxy = await startProxy(real.port);
  t.after(proxy.close);
  const [ada, bob] = [client(t, proxy.url), client(t)];
  const { count } = collect(ada);
  const cid = await ada.ready();
  const tag = `cut ${++tests}`;
  const session = await ada.host({ tags: [tag], listed: true });
  await bob.send(session.sid, 'before');
  await count(1);
  proxy.isUp = false;
  const away = once(ada, 'state', ({ state }) => state === 'away');
  proxy.cut();
  await away;
  // Its stream broke a moment ago: the broker may not have noticed, but it loses nothing either way.
  for (let i = 0; i < 10; i++) await bob.send(session.sid, i);
  const again = once(ada, 'channel');
  proxy.isUp = true;
  assert.deepEqual(await again, { cid, resumed: true, lost: false, sessions: [] });
  assert.deepEqual(await count(11), ['before', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal((await take(bob.list(tag)))[0].sid, session.sid);
});

test('A stream that is silent for 2.5 heartbeats is opened again', options, async (t) => {
  const proxy = await startProxy(real.port);
  t.after(proxy.close);
  const ada = client(t, proxy.url);
  const cid = await ada.ready();
  const start = Date.now();
  const away = once(ada, 'state', ({ state }) => state === 'away');
  proxy.isFlowing = false;
  assert.match((await away).error.message, /The stream is silent/);
  // The broker's heartbeats come every 500 ms.
  assert.ok(Date.now() - start < 4_000, `after ${Date.now() - start} ms`);
  const again = once(ada, 'channel');
  proxy.isFlowing = true;
  assert.deepEqual(await again, { cid, resumed: true, lost: false, sessions: [] });
});

test('Messages arrive in order and once each, however often connections are cut and answers lost', options, async (t) => {
  const proxy = await startProxy(real.port);
  t.after(proxy.close);
  const [ada, bob] = [client(t), client(t, proxy.url)];
  const { got, count } = collect(ada);
  const target = await ada.ready();
  let lost = 0;
  let posts = 0;
  proxy.losesAnswerOf = (data) => data.startsWith('POST /broker/send/') && ++posts % 3 === 0 && ++lost;
  const cuts = setInterval(proxy.cut, 350);
  const numbers = Array.from({ length: 300 }, (_, i) => i);
  try {
    for (let i = 0; i < 300; i += 10) await Promise.all(numbers.slice(i, i + 10).map((number) => bob.send(target, number)));
  } finally {
    clearInterval(cuts);
  }
  await count(300);
  await bob.send(target, 'end');
  assert.deepEqual(await count(301), [...numbers, 'end']);
  assert.equal(got.length, 301);
  t.diagnostic(`${lost} answers lost`);
  assert.ok(lost > 3, `${lost} answers were lost`);
});

test('A session whose answer was lost is hosted once', options, async (t) => {
  const proxy = await startProxy(real.port);
  t.after(proxy.close);
  const ada = client(t, proxy.url);
  await ada.ready();
  let lost = 0;
  proxy.losesAnswerOf = (data) => data.startsWith('POST /broker/session ') && !lost++;
  const tag = `once ${++tests}`;
  const session = await ada.host({ tags: [tag], listed: true });
  assert.equal(lost, 2);
  assert.deepEqual((await take(ada.list(tag))).map(({ sid }) => sid), [session.sid]);
});

for (const signal of ['SIGKILL', 'SIGTERM']) {
  test(`After a new start of the broker (${signal}) sessions are hosted again, and messages arrive`, options, async (t) => {
    const own = await startRealBroker();
    t.after(() => own.stop('SIGKILL'));
    const [ada, bob] = [client(t, own.url), client(t, own.url)];
    const { count } = collect(ada);
    const session = await ada.host({ tags: ['again'], listed: true, metadata: 'Ada' });
    const was = session.sid;
    const cid = await ada.ready();
    await bob.ready();
    const away = [ada, bob].map((broker) => once(broker, 'state', ({ state }) => state === 'away'));
    await own.stop(signal);
    await Promise.all(away);
    const waiting = bob.send(cid, 'to nobody').catch(({ code }) => code);
    const channel = once(ada, 'channel');
    const start = Date.now();
    await own.start();
    const started = Date.now();
    const detail = await channel;
    t.diagnostic(`the process took ${started - start} ms, the session was there ${Date.now() - started} ms later`);
    assert.notEqual(detail.cid, cid);
    assert.deepEqual(detail, { cid: ada.cid, resumed: false, lost: true, sessions: [{ was, sid: session.sid }] });
    assert.notEqual(session.sid, was);
    assert.equal(await waiting, 'unknown_target');
    assert.deepEqual(await take(bob.list('again')), [{ sid: session.sid, tags: ['again'], metadata: 'Ada' }]);
    await bob.send(session.sid, 'hello');
    assert.deepEqual(await count(1), ['hello']);
  });
}

test('A client that is started before its broker finds it', options, async (t) => {
  const own = await startRealBroker();
  t.after(() => own.stop('SIGKILL'));
  await own.stop();
  const ada = client(t, own.url);
  const ready = ada.ready();
  await once(ada, 'state', ({ error }) => error?.code === 'unreachable');
  await own.start();
  assert.equal(await ready, ada.cid);
});

test('close() ends the channel and its sessions at once', options, async (t) => {
  const [ada, bob] = [client(t), client(t)];
  const { sid } = await ada.host({ tags: ['closing'], listed: true });
  await ada.close();
  assert.deepEqual(await take(bob.list('closing')), []);
  await assert.rejects(bob.send(sid, 'hello'), { code: 'unknown_target' });
});

test('A list on the channel is true across changes, a cut and a new start', options, async (t) => {
  const own = await startRealBroker();
  t.after(() => own.stop('SIGKILL'));
  const known = await fetch(`${own.url}/channel/nobody/watch`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"key":"none","watch":"1"}',
  }).then((response) => response.json());
  if (known.code !== 'unknown_channel') return t.skip(`This broker has no lists on the channel: ${known.detail}`);
  const proxy = await startProxy(own.port);
  t.after(proxy.close);
  const [ada, bob] = [client(t, own.url), client(t, proxy.url)];
  const session = await ada.host({ tags: ['list'], listed: true, metadata: 'Ada' });
  const mine = await bob.host({ tags: ['list'], listed: true, metadata: 'Bob' });
  const list = bob.watch('list,!away');
  const shows = (...names) => {
    const seen = () => list.snapshot.map(({ metadata, own: isOwn }) => metadata + (isOwn ? ' (own)' : '')).sort().join();
    return until(() => seen() === names.join(), () => `${names}, not ${seen()}`);
  };
  await list.ready;
  await shows('Ada', 'Bob (own)');
  await session.update({ metadata: 'Ada Lovelace' });
  await shows('Ada Lovelace', 'Bob (own)');
  proxy.isUp = false;
  const away = once(bob, 'state', ({ state }) => state === 'away');
  proxy.cut();
  await away;
  await session.update({ tags: ['list', 'away'] });
  await ada.host({ tags: ['list'], listed: true, metadata: 'Ada again' });
  proxy.isUp = true;
  await shows('Ada again', 'Bob (own)');
  await own.stop('SIGKILL');
  await own.start();
  await shows('Ada again', 'Bob (own)');
  assert.equal(list.snapshot.find(({ own: isOwn }) => isOwn).sid, mine.sid);
  list.close();
});

const socketOnly = ['a WebSocket'];

test('A client that takes over a channel supersedes the one before, which stays closed', options, async (t) => {
  let lastEventId;
  const listening = (url, init, on) => socket(url, init, { ...on, event(type, data, id) {
    lastEventId = id;
    on.event(type, data, id);
  } });
  const ada = client(t, real.url, { transport: listening });
  const closed = once(ada, 'state', ({ state }) => state === 'closed');
  await ada.ready();
  const response = await fetch(`${real.url}/channel?lastEventId=${encodeURIComponent(lastEventId)}`);
  t.after(() => response.body.cancel());
  assert.equal((await closed).error.code, 'superseded');
  await assert.rejects(ada.send('anybody', 1), { code: 'superseded' });
}, socketOnly);

test('At capacity a client waits for the time that the broker names, and gets a place that is free', options, async (t) => {
  const own = await startRealBroker('--max-channels', '1');
  t.after(() => own.stop('SIGKILL'));
  const [ada, bob] = [client(t, own.url), client(t, own.url)];
  await ada.ready();
  const ready = bob.ready();
  const { error, retryIn } = await once(bob, 'state', ({ error: one }) => one);
  assert.ok(retryIn >= 50, `${retryIn}`);
  assert.match(error.message, /503|full/);
  await ada.close();
  assert.equal(await ready, bob.cid);
}, socketOnly);

test('What is too large is refused, however large, and what follows arrives', options, async (t) => {
  const [ada, bob] = [client(t), client(t)];
  const { count } = collect(ada);
  const target = await ada.ready();
  for (const units of [50_000, 70_000, 1_000_000]) {
    await assert.rejects(bob.send(target, 'x'.repeat(units)), { code: 'too_large', status: 413, retryable: false });
  }
  await bob.send(target, 'small');
  assert.deepEqual(await count(1), ['small']);
});

test('A WebSocket of a page of another origin is denied', options, async (t) => {
  class FromElsewhere extends WebSocket {
    constructor(url, protocol) {
      super(url, protocol, { origin: 'https://elsewhere.example' });
    }
  }
  const ada = client(t, real.url, { transport: webSocket(FromElsewhere) });
  await assert.rejects(ada.ready(), { code: 'denied', status: 403 });
  assert.equal(ada.state, 'closed');
}, socketOnly);
