import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection, fullJitter } from '../client/connection.js';
import { BrokerError } from '../client/error.js';
import { pageLifecycle } from '../client/lifecycle.js';
import { settle } from './tools/waiting.js';

/** A connection on fake time, whose streams are opened, spoken and broken by the test. */
async function start(t, options) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  const streams = [];
  const posts = [];
  const told = [];
  let page;
  const requests = {
    freshHeaders: async () => {},
    carry: (by) => told.push(['carried', by]),
    act: ({ cid, key }, action, body) => new Promise((resolve, reject) => posts.push({ cid, action, body: { key, ...body }, resolve, reject })),
  };
  const self = connection((path) => `/broker${path}`, requests, {
    delay: () => 100,
    transport: (url, { signal }, on) => new Promise((resolve, reject) => {
      streams.push({ url, signal, on, end: resolve, fail: reject });
    }),
    lifecycle: (on) => {
      page = on;
      return () => told.push('forgotten');
    },
    ...options,
  }, {
    state: ({ state, retryIn, error }) => told.push([state, retryIn, error?.code]),
    channel: (earlier, isResumed) => told.push(['channel', earlier?.cid, isResumed]),
    event: () => {},
    leave: () => told.push('leave'),
    end: () => {},
  });
  self.open();
  await settle();
  const latest = () => streams.at(-1);
  const channel = (cid, rest) => latest().on.event('channel', JSON.stringify({ cid, key: 'k', heartbeat: 10, lease: 90, ...rest }), `${cid}.1`);
  const tick = async (milliseconds) => {
    t.mock.timers.tick(milliseconds);
    await settle();
  };
  return { self, streams, posts, told, latest, channel, tick, page: () => page };
}

test('the back-off has full jitter between 0.5 and 20 seconds', (t) => {
  for (const [random, attempt, delay] of [[0, 0, 500], [0, 30, 500], [0.5, 0, 750], [0.5, 3, 2_500], [1, 30, 20_000], [1, 4_000, 20_000]]) {
    t.mock.method(Math, 'random', () => random);
    assert.equal(fullJitter(attempt), delay);
  }
});

test('a stream that is silent for two and a half heartbeats is dead, unless what waits for a frozen page comes first', async (t) => {
  const { self, streams, channel, tick, latest, told } = await start(t);
  channel('a');
  await tick(20_000);
  latest().on.heard();
  await tick(25_000);
  await tick(400);
  assert.equal(self.state, 'open');
  latest().on.heard(); // in the half second after the watchdog has bitten
  await tick(25_000);
  assert.equal(self.state, 'open');
  await tick(500);
  assert.deepEqual(told.at(-1), ['away', 100, 'unreachable']);
  assert.ok(streams[0].signal.aborted);
  await tick(100);
  assert.equal(latest().url, '/broker/channel?resume=60&lease=90&lastEventId=a.1');
});

test('a stream that does not begin is given up after twenty seconds', async (t) => {
  const { streams, tick } = await start(t);
  await tick(20_000);
  await tick(499);
  assert.ok(!streams[0].signal.aborted);
  await tick(1);
  assert.ok(streams[0].signal.aborted);
});

test('a continued channel begins with a comment or any other event, a new one with its own', async (t) => {
  const { self, channel, tick, latest, told } = await start(t);
  latest().on.comment();
  assert.equal(self.state, 'connecting');
  channel('a');
  const first = await self.opened;
  for (const begin of [() => latest().on.comment(), () => latest().on.event('message', '{}', 'a.2')]) {
    latest().end();
    await settle();
    assert.equal(self.state, 'away');
    await tick(100);
    begin();
    assert.equal(await self.opened, first);
    assert.deepEqual(told.filter(([word]) => word === 'channel').at(-1), ['channel', undefined, true]);
  }
  latest().end();
  await settle();
  await tick(100);
  channel('b');
  assert.deepEqual(told.filter(([word]) => word === 'channel').at(-1), ['channel', 'a', false]);
});

test('obeys retry and Retry-After, within bounds', async (t) => {
  const { channel, tick, latest, told } = await start(t);
  const fail = async (error) => {
    latest().fail(error);
    await settle();
    const [, retryIn] = told.at(-1);
    await tick(retryIn);
    return retryIn;
  };
  assert.equal(await fail(new TypeError('network')), 100);
  assert.equal(await fail(new BrokerError('at_capacity', '', 503, 5)), 5_100);
  latest().on.retry(2_000);
  channel('a');
  assert.equal(await fail(new TypeError('network')), 2_100);
  assert.equal(await fail(new BrokerError('shutting_down', '', 503, 1e9)), 300_100);
  assert.equal(await fail(new BrokerError('at_capacity', '', 503, -5)), 100);
  assert.equal(await fail(new BrokerError('unreachable', '', 404)), 2_100); // as during a deployment
  assert.equal(await fail(new BrokerError('internal', '', 500)), 2_100);
  latest().fail(new BrokerError('denied', '', 403));
  await settle();
  assert.deepEqual(told.at(-2), 'forgotten');
  assert.deepEqual(told.at(-1), ['closed', 0, 'denied']);
});

for (const [heartbeat, silence] of [[1e9, 750_000], [-5, 1_250], [1e-9, 1_250], ['soon', 20_000], [null, 20_000]]) {
  test(`a heartbeat of ${heartbeat} s makes a stream of ${silence} ms without a sign a silent one`, async (t) => {
    const { self, channel, tick } = await start(t);
    channel('a', { heartbeat, lease: 300 });
    await tick(silence);
    await tick(499);
    assert.equal(self.state, 'open');
    await tick(1);
    assert.equal(self.state, 'away');
  });
}

for (const [lease, interval] of [[1e9, 300_000], [-5, 1_000], [1e-9, 1_000], ['soon', 30_000], [0, 30_000]]) {
  test(`a lease of ${lease} s is a ping every ${interval} ms`, async (t) => {
    const { channel, tick, posts } = await start(t);
    channel('a', { lease, heartbeat: 300 });
    await tick(interval - 1);
    assert.equal(posts.length, 0);
    await tick(1);
    assert.equal(posts.length, 1);
  });
}

for (const [retry, pause] of [[1e300, 300_100], [Infinity, 300_100], [-5, 100], [NaN, 100]]) {
  test(`a stream that breaks after retry: ${retry} is opened again after ${pause} ms`, async (t) => {
    const { told, latest, streams, tick } = await start(t);
    latest().on.retry(retry);
    latest().end();
    await settle();
    assert.deepEqual(told.at(-1).slice(0, 2), ['connecting', pause]);
    await tick(pause - 1);
    assert.equal(streams.length, 1);
    await tick(1);
    assert.equal(streams.length, 2);
  });
}

test('counts attempts until a stream is open', async (t) => {
  const attempts = [];
  const { channel, tick, latest } = await start(t, { delay: (attempt) => attempts.push(attempt) });
  for (let i = 0; i < 3; i++) {
    latest().end();
    await settle();
    await tick(10);
  }
  channel('a');
  latest().end();
  await settle();
  assert.deepEqual(attempts, [0, 1, 2, 0]);
});

test('pings three times a lease with what it has seen, and opens another stream where the broker has lost this one', async (t) => {
  const { self, channel, tick, latest, posts, streams } = await start(t);
  channel('a');
  latest().on.event('message', '{}', 'a.2');
  await tick(15_000);
  latest().on.heard();
  await tick(15_000);
  assert.deepEqual(posts.map(({ cid, action, body }) => [cid, action, body]), [['a', 'ping', { key: 'k', seen: 'a.2' }]]);
  posts[0].resolve({ stream: true });
  await settle();
  assert.equal(streams.length, 1);
  for (const answer of [() => posts.at(-1).resolve({ stream: false }), () => posts.at(-1).reject(new BrokerError('unknown_channel', '', 404))]) {
    const before = streams.length;
    self.ping(self.channel);
    answer();
    await settle();
    assert.equal(streams.length, before + 1);
    latest().on.comment();
  }
  const before = streams.length;
  self.ping(self.channel);
  posts.at(-1).reject(new BrokerError('unreachable', ''));
  await settle();
  assert.equal(streams.length, before);
});

test('what an abandoned stream still says is not heard', async (t) => {
  const { self, channel, streams, page } = await start(t);
  channel('a');
  page().sleep();
  streams[0].on.event('channel', '{"cid":"b","key":"k"}', 'b.1');
  streams[0].on.comment();
  page().wake();
  await settle();
  page().sleep();
  streams[1].on.event('channel', '{"cid":"b","key":"k"}', 'b.1');
  streams[1].on.comment();
  assert.equal(self.state, 'away');
  assert.equal(self.channel.cid, 'a');
});

test('a page that wakes tries at once, and leaves a stream alone that lives or is on its way', async (t) => {
  const { self, channel, tick, latest, streams, page } = await start(t, { delay: () => 20_000 });
  page().wake();
  await settle();
  assert.equal(streams.length, 1);
  latest().end();
  await settle();
  page().wake();
  await settle();
  assert.equal(streams.length, 2);
  channel('a');
  page().wake();
  assert.equal(streams.length, 2);
  await tick(15_001);
  page().wake();
  await settle();
  assert.equal(streams.length, 3);
  latest().on.comment();
  page().sleep();
  await tick(600_000);
  assert.equal(streams.length, 3);
  assert.equal(self.state, 'away');
  page().wake();
  await settle();
  assert.equal(streams.length, 4);
});

test('open tries at once where the next attempt waits, and leaves alone what is open, on its way or asleep', async (t) => {
  const { self, channel, latest, streams, page } = await start(t, { delay: () => 20_000 });
  const opens = async () => {
    self.open();
    await settle();
    return streams.length;
  };
  assert.equal(await opens(), 1); // on its way
  latest().end();
  await settle();
  assert.equal(await opens(), 2);
  channel('a');
  assert.equal(await opens(), 2);
  latest().end();
  await settle();
  assert.equal(self.state, 'away');
  assert.equal(await opens(), 3);
  latest().on.comment();
  page().sleep();
  assert.equal(await opens(), 3);
});

test('the page’s events put it to sleep, wake it and close it', (t) => {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { hidden: false });
  Object.assign(globalThis, { document, addEventListener: page.addEventListener.bind(page) });
  t.after(() => {
    delete globalThis.document;
    delete globalThis.addEventListener;
  });
  const told = [];
  const forget = pageLifecycle({ sleep: () => told.push('sleep'), wake: () => told.push('wake'), leave: () => told.push('leave') });
  const say = (target, type, values) => {
    target.dispatchEvent(Object.assign(new Event(type), values));
    return told.splice(0);
  };
  assert.deepEqual(say(page, 'online'), ['sleep', 'wake']);
  assert.deepEqual(say(page, 'pagehide', { persisted: true }), ['sleep']);
  assert.deepEqual(say(page, 'pageshow', { persisted: true }), ['wake']);
  assert.deepEqual(say(page, 'pageshow', { persisted: false }), ['wake']);
  assert.deepEqual(say(document, 'freeze'), ['sleep']);
  assert.deepEqual(say(document, 'resume'), ['wake']);
  assert.deepEqual(say(document, 'visibilitychange'), ['wake']);
  document.hidden = true;
  assert.deepEqual(say(document, 'visibilitychange'), []);
  assert.deepEqual(say(page, 'pagehide', { persisted: false }), ['leave']);
  forget();
  assert.deepEqual(say(page, 'online'), []);
});

test('a page that is rendered in advance sleeps until it is shown', async (t) => {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { hidden: true, prerendering: true });
  Object.assign(globalThis, { document, addEventListener: page.addEventListener.bind(page) });
  t.after(() => {
    delete globalThis.document;
    delete globalThis.addEventListener;
  });
  const { self, streams } = await start(t, { lifecycle: pageLifecycle });
  page.dispatchEvent(new Event('pageshow'));
  page.dispatchEvent(new Event('online'));
  await settle();
  assert.deepEqual([self.state, streams.length], ['connecting', 0]);
  document.prerendering = false;
  document.dispatchEvent(new Event('prerenderingchange'));
  await settle();
  assert.equal(streams.length, 1);
});

test('outside a page nothing happens', () => {
  assert.doesNotThrow(pageLifecycle({}));
});
