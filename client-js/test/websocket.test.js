import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../client/broker.js';
import { connection } from '../client/connection.js';
import { webSocket } from '../client/websocket.js';
import { once, settle } from './tools/waiting.js';

/** A WebSocket that the test opens, speaks for and closes. */
class Fake extends EventTarget {
  static all = [];
  sent = [];
  bufferedAmount = 0;
  closed = 0;

  constructor(...made) {
    super();
    this.made = made;
    Fake.all.push(this);
  }

  send(text) {
    this.sent.push(text);
  }

  /** As undici's does, which says so before it returns. */
  close() {
    if (++this.closed > 9) throw new Error('It is closed again and again.');
    this.say('error');
  }

  say(type, members) {
    this.dispatchEvent(Object.assign(new Event(type), members));
  }

  hear(frame) {
    this.say('message', { data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }
}

/** A stream over one, and what becomes of it. */
function start(init) {
  const told = [];
  const noted = (word) => (...values) => told.push([word, ...values]);
  const closing = new AbortController();
  let post;
  const on = { heard() {}, retry: noted('retry'), comment: noted('comment'), event: noted('event'), carry: (by) => {
    post = by;
  } };
  const ended = webSocket(Fake)('https://h/b/channel?resume=60&lastEventId=a%2F1', { signal: closing.signal, channel: null, ...init }, on);
  ended.catch(() => {});
  const socket = Fake.all.at(-1);
  return { socket, told, ended, closing, get post() {
    return post;
  } };
}

function open(init) {
  const all = start(init);
  all.socket.say('open');
  return all;
}

test('it is made at /socket, with the protocol’s name, and with headers where there are some', () => {
  assert.deepEqual(start().socket.made, ['wss://h/b/socket?resume=60&lastEventId=a%2F1', 'peerbroker.v1']);
  const headers = new Headers({ Authorization: 'Bearer 1' });
  assert.deepEqual(start({ headers }).socket.made[2], { headers: { authorization: 'Bearer 1' } });
});

test('a request is a frame without a key and with nothing encoded, and its answer or refusal has its number', async () => {
  const { socket, post } = open();
  let times = 0;
  const sent = post('/send/a%20b', '{"key":"k-_1","seq":7,"messages":["{\\"key\\":\\"mine\\"}"]}', { sending: () => times++ });
  const pinged = post('/channel/c/ping', '{"key":"k"}');
  assert.deepEqual(socket.sent, [
    '{"post":"/send/a b","ref":1,"seq":7,"messages":["{\\"key\\":\\"mine\\"}"]}',
    '{"post":"/channel/c/ping","ref":2}',
  ]);
  assert.equal(times, 1);
  socket.hear({ ref: 2, answer: { stream: true } });
  assert.deepEqual(await pinged, { stream: true });
  socket.hear({ ref: 1, refusal: { code: 'target_busy', detail: 'Busy.', retryAfter: 3 } });
  await assert.rejects(sent, { name: 'BrokerError', code: 'target_busy', status: 429, retryAfter: 3, message: 'Busy.' });
  socket.hear({ ref: 1, answer: {} }); // nobody asks any longer
});

test('a refusal has the status that it would have over HTTP', async () => {
  const statuses = {
    malformed_json: 400, invalid_request: 400, wrong_key: 403, denied: 403, unknown_path: 404, unknown_target: 404, request_timeout: 408,
    too_large: 413, rate_limited: 429, too_many_sessions: 429, too_many_watches: 429, internal: 500, at_capacity: 503, shutting_down: 503,
  };
  const { socket, post } = open();
  for (const [code, status] of Object.entries(statuses)) {
    const sent = post('/session', '{"key":"k"}');
    socket.hear({ ref: JSON.parse(socket.sent.at(-1)).ref, refusal: { code, detail: '' } });
    await assert.rejects(sent, { code, status });
  }
});

test('events have their data, and their id where they have one', () => {
  const { socket, told } = open();
  socket.hear({ event: 'message', id: 'a.2', data: { message: 1 } });
  socket.hear({ event: 'heartbeat', data: {} });
  assert.deepEqual(told.slice(1), [['event', 'message', { message: 1 }, 'a.2'], ['event', 'heartbeat', {}, undefined]]);
  const [word, milliseconds] = told[0];
  assert.ok(word === 'retry' && milliseconds >= 1_000 && milliseconds <= 3_000, `${told[0]}`);
});

test('a channel that goes on says so before it has anything to say', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { socket, told } = open({ channel: { cid: 'c' } });
  assert.deepEqual(socket.sent, ['{"post":"/channel/c/ping","ref":1}']);
  socket.hear({ ref: 1, refusal: { code: 'unknown_channel', detail: 'Not yet.' } });
  await settle();
  t.mock.timers.tick(500);
  assert.equal(socket.sent.length, 2);
  assert.equal(told.length, 1);
  socket.hear({ ref: 2, answer: { stream: true } });
  await settle();
  assert.equal(told.at(-1)[0], 'comment');
  const other = open({ channel: { cid: 'gone' } });
  other.socket.hear({ ref: 1, refusal: { code: 'unknown_channel', detail: '' } });
  await settle();
  other.socket.hear({ event: 'channel', id: 'n.1', data: { cid: 'new' } });
  t.mock.timers.tick(500);
  assert.equal(other.socket.sent.length, 1);
});

test('a channel that was let go is not asked any longer', async (t) => {
  const { closing } = open({ channel: { cid: 'c' } });
  const timers = t.mock.method(globalThis, 'setTimeout');
  closing.abort();
  await settle();
  assert.equal(timers.mock.callCount(), 0);
});

test('what waits for an answer is rejected when the connection ends, and nothing is sent after that', async () => {
  for (const [end, said] of [
    [({ socket }) => socket.say('close', { code: 1_006, reason: '' }), /1006/],
    [({ socket }) => socket.say('error', { message: 'reset' }), /reset/],
    [({ socket }) => socket.say('error'), /broke, or was refused/],
    [({ socket }) => socket.hear('<html>'), /JSON/],
    [({ socket }) => socket.hear('null'), /null/],
    [({ socket }) => socket.hear({ refusal: { code: 7 } }), /./],
    [({ closing }) => closing.abort(), /let go/],
  ]) {
    const all = open();
    const sent = all.post('/session', '{"key":"k"}');
    end(all);
    await assert.rejects(sent, said);
    await assert.rejects(all.ended, said);
    const frames = all.socket.sent.length;
    await assert.rejects(all.post('/session', '{"key":"k"}'), said);
    assert.equal(all.socket.sent.length, frames);
    assert.equal(all.socket.closed, 1);
  }
});

test('a WebSocket that is let go before it is made is closed as soon as it is', async () => {
  const closing = new AbortController();
  closing.abort();
  const { socket, ended } = start({ signal: closing.signal });
  await assert.rejects(ended, { code: 'unreachable' });
  assert.ok(socket.closed);
});

test('an answer is waited for ten seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { post } = open();
  const sent = assert.rejects(post('/session', '{"key":"k"}'), { code: 'unreachable', retryable: true });
  t.mock.timers.tick(10_000);
  await sent;
});

test('nothing is added to what the network does not take', async () => {
  const { socket, post } = open();
  socket.bufferedAmount = 262_145;
  await assert.rejects(post('/session', '{"key":"k"}'), { code: 'unreachable', retryable: true });
  assert.deepEqual(socket.sent, []);
});

test('of the requests under way the largest was too large, and the others come again', async () => {
  const { socket, post } = open();
  const sizes = [1, 3, 2].map((size) => post('/send/x', `{"key":"k","messages":[${'1'.repeat(size)}]}`).catch(({ code }) => code));
  socket.say('close', { code: 1_009, reason: 'A request may have at most 65536 bytes.' });
  assert.deepEqual(await Promise.all(sizes), ['unreachable', 'too_large', 'unreachable']);
});

test('why there is no channel is known by a refusal, by a status where the class tells it, and by the last event or the close', async () => {
  const denied = open();
  denied.socket.hear({ refusal: { code: 'denied', detail: 'No.' } });
  await assert.rejects(denied.ended, { code: 'denied', status: 403, message: 'No.' });
  for (const [status, code] of [[403, 'denied'], [503, 'unreachable']]) {
    const { socket, ended } = start();
    socket.say('error', { message: `Unexpected server response: ${status}` });
    await assert.rejects(ended, { code, status });
  }
  // Firefox drops a message that comes together with the close.
  for (const [close, reason, code, status] of [
    [1_011, 'internal', 'internal', 500], [1_011, 'Unexpected error', 'unreachable', 0], [1_012, 'shutting_down', 'shutting_down', 503],
    [1_013, 'at_capacity', 'at_capacity', 503], [1_013, 'overload', 'unreachable', 0], [4_400, 'invalid_request', 'invalid_request', 400],
    [4_403, 'denied', 'denied', 403], [4_408, 'stalled', 'unreachable', 0], [1_001, '', 'unreachable', 0],
  ]) {
    const { socket, ended } = open();
    socket.say('close', { code: close, reason });
    await assert.rejects(ended, { code, status, message: `The WebSocket was closed: ${close} ${reason}` });
  }
  const { socket, told } = open();
  socket.say('close', { code: 4_409, reason: 'superseded' });
  assert.deepEqual(told.at(-1), ['event', 'close', { reason: 'superseded' }]);
});

test('a platform without WebSockets, and headers that its own cannot send, are said at once', async (t) => {
  const states = [];
  const broker = (options) => {
    const one = new Broker('http://h/b', { lifecycle: () => {}, ...options });
    one.addEventListener('state', ({ detail }) => states.push(detail.state));
    t.after(() => one.close());
    return one;
  };
  const { WebSocket: own } = globalThis;
  t.after(() => {
    globalThis.WebSocket = own;
  });
  globalThis.WebSocket = undefined;
  await assert.rejects(broker({ transport: 'websocket' }).ready(), { code: 'invalid_request', message: /client\/websocket/ });
  globalThis.WebSocket = Fake;
  const headers = { Authorization: 'Bearer 1' };
  await assert.rejects(broker({ transport: 'websocket', headers }).ready(), { code: 'invalid_request', message: /no headers/ });
  assert.deepEqual(states, ['connecting', 'closed', 'connecting', 'closed']);
  assert.throws(() => new Broker('http://h/b', { transport: 'sockets' }), { name: 'TypeError', message: /'websocket'/ });
});

test('by its name the platform’s own is taken, and only its handshake, lists and the end go by fetch', async (t) => {
  const { WebSocket: own } = globalThis;
  globalThis.WebSocket = Fake;
  t.after(() => {
    globalThis.WebSocket = own;
  });
  const fetched = [];
  const broker = new Broker('http://h/b?tenant=1', {
    transport: 'websocket',
    fetch: async (url, { body }) => {
      fetched.push([url, body]);
      return Response.json({});
    },
  });
  const before = Fake.all.length;
  const ready = broker.ready();
  while (Fake.all.length === before) await new Promise((resolve) => setTimeout(resolve, 1));
  const socket = Fake.all.at(-1);
  assert.equal(socket.made[0], 'ws://h/b/socket?tenant=1&resume=60&lease=90');
  socket.say('open');
  socket.hear({ event: 'channel', id: 'c.1', data: { cid: 'c', key: 'k', heartbeat: 15 } });
  assert.equal(await ready, 'c');
  const sent = broker.send('x', 1);
  while (!socket.sent.length) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(JSON.parse(socket.sent[0]), { post: '/send/x', ref: 1, seq: 1, origin: 'c', messages: [1] });
  socket.hear({ ref: 1, answer: { deliveries: [{ delivery: 'sent' }] } });
  assert.deepEqual(await sent, { delivery: 'sent' });
  const closed = once(broker, 'state', ({ state }) => state === 'closed');
  await broker.close();
  assert.equal((await closed).error.code, 'closed');
  assert.deepEqual(fetched, [['http://h/b/channel/c/close?tenant=1', '{"key":"k"}']]);
});

test('pages that have WebSockets need no turns', async () => {
  const page = { state() {}, channel() {}, event() {}, leave() {}, end() {} };
  const { navigator, performance } = globalThis;
  let asked = 0;
  Object.defineProperties(globalThis, {
    navigator: { configurable: true, value: { locks: { request: () => asked++, query: () => asked++ } } },
    performance: { configurable: true, value: { getEntriesByType: () => [{ nextHopProtocol: 'http/1.1' }] } },
  });
  try {
    const requests = { freshHeaders: async () => {}, carry() {} };
    const one = connection((path) => `http://h${path}`, requests, { transport: 'websocket' }, page);
    one.open();
    one.end();
    assert.equal(asked, 0);
  } finally {
    Object.defineProperties(globalThis, {
      navigator: { configurable: true, value: navigator },
      performance: { configurable: true, value: performance },
    });
  }
});
