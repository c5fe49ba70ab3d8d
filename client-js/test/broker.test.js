import assert from 'node:assert/strict';
import { after, test as testOne } from 'node:test';
import WebSocket from 'ws';
import { Broker, BrokerError } from '../client/broker.js';
import { webSocket } from '../client/websocket.js';
import { badGateway, loseAnswer, loseRequest, startFakeBroker } from './tools/http-broker.js';
import { once, until } from './tools/waiting.js';

const rejections = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));
after(() => assert.deepEqual(rejections, []));

const socket = webSocket(WebSocket);
/** It comes back at once, as where the broker's streams ask for no pause. */
const hasty = (url, init, on) => socket(url, init, { ...on, retry() {} });
const wires = { 'a stream': undefined, 'a WebSocket': hasty };
let transport;

/** Each test runs over each wire, one after the other. */
function test(name, body, only = Object.keys(wires)) {
  for (const wire of only) {
    testOne(`${name}, over ${wire}`, (t) => {
      transport = wires[wire];
      return body(t);
    });
  }
}

function client(fake, options) {
  const broker = new Broker(fake.url, { delay: () => 1, transport, ...options });
  after(() => broker.close());
  return broker;
}

function collect(broker) {
  const got = [];
  broker.addEventListener('message', ({ detail }) => got.push(detail.message));
  return got;
}

test('connects on first use, hosts, sends and replies', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const bob = client(fake);
  assert.equal(ada.state, 'idle');
  assert.equal(fake.requests.length, 0);
  const session = await ada.host({ tags: ['chat'], listed: true, metadata: { name: 'Ada' } });
  const replied = once(ada, 'message').then(({ message, reply }) => reply({ echo: message }));
  const reply = once(bob, 'message');
  assert.deepEqual(await bob.send(session.sid, 'hello'), { delivery: 'sent' });
  const { origin, target, message } = await reply;
  assert.deepEqual({ origin, target, message }, { origin: session.sid, target: bob.cid, message: { echo: 'hello' } });
  await replied;
});

test('sends in order and in batches while one request is under way', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const bob = client(fake);
  const got = collect(ada);
  const target = await ada.ready();
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  await Promise.all(numbers.map((i) => bob.send(target, i)));
  await until(() => got.length === 200);
  assert.deepEqual(got, numbers);
  const bodies = fake.requests.filter(({ path }) => path.startsWith('/send'));
  assert.ok(bodies.length <= 5, `${bodies.length} requests`);
  assert.ok(bodies.every(({ body }) => body.messages.length <= 64));
});

test('keeps a body under 64 KiB', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const target = await ada.ready();
  await Promise.all(Array.from({ length: 10 }, () => ada.send(target, '€'.repeat(9_000))));
  for (const { body } of fake.requests) assert.ok(Buffer.byteLength(JSON.stringify(body)) <= 65_536);
});

for (const [name, fault] of [['answer', loseAnswer], ['request', loseRequest], ['answer to a proxy', badGateway]]) {
  test(`performs a send once when the ${name} is lost`, async () => {
    const fake = await startFakeBroker();
    const ada = client(fake);
    const got = collect(ada);
    const target = await ada.ready();
    fake.next(/send/, fault);
    await ada.send(target, 1);
    await ada.send(target, 2);
    await until(() => got.includes(2));
    assert.deepEqual(got, [1, 2]);
    const numbers = fake.requests.filter(({ path }) => path.startsWith('/send')).map(({ body }) => body.seq);
    assert.deepEqual(numbers, [1, 1, 2]);
  });
}

test('hosts once when the answer is lost', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  await ada.ready();
  fake.next(/session/, loseAnswer);
  await ada.host();
  assert.equal(fake.channels[0].sessions.size, 1);
});

test('a session whose caller no longer waits is closed', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  await ada.ready();
  const controller = new AbortController();
  fake.next(/session/, ({ perform }) => {
    controller.abort();
    setImmediate(perform);
  });
  await assert.rejects(ada.host({}, { signal: controller.signal }), { name: 'AbortError' });
  await until(() => fake.requests.some(({ path }) => /^.session.*close$/.test(path)));
  await until(() => fake.channels[0].sessions.size === 0);
});

test('a refusal rejects with its code, and what waits goes on', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const got = collect(ada);
  const target = await ada.ready();
  fake.next(/send/, ({ refuse }) => refuse(429, 'target_busy', 3));
  await assert.rejects(ada.send(target, 1), { name: 'BrokerError', code: 'target_busy', status: 429, retryAfter: 3, retryable: true });
  await assert.rejects(ada.send('nobody', 1), { code: 'unknown_target', retryable: false });
  await ada.send(target, 2);
  await until(() => got.length);
  assert.deepEqual(got, [2]);
});

test('finds the one message of a batch that is to blame', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const got = collect(ada);
  const target = await ada.ready();
  const tooLarge = ({ body, refuse, perform }) => {
    fake.next(/send/, tooLarge);
    if (body.messages.includes('large')) refuse(413, 'too_large');
    else perform();
  };
  fake.next(/send/, tooLarge);
  const results = await Promise.allSettled([0, 1, 'large', 3].map((message) => ada.send(target, message)));
  assert.deepEqual(results.map(({ reason }) => reason?.code), [undefined, undefined, 'too_large', undefined]);
  await until(() => got.length === 3);
  assert.deepEqual(got, [0, 1, 3]);
});

test('waits while away, and resumes without loss', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const bob = client(fake);
  const got = collect(ada);
  const target = await ada.ready();
  await bob.ready();
  fake.next(/channel/, loseRequest);
  const back = once(ada, 'channel', ({ resumed }) => resumed);
  fake.channels[0].response.destroy();
  await once(ada, 'state', ({ state }) => state === 'away');
  fake.emit(fake.channels[0], 'message', { origin: bob.cid, target, message: 'meanwhile' });
  await ada.send(target, 'after');
  const detail = await back;
  assert.deepEqual(detail, { cid: target, resumed: true, lost: false, sessions: [] });
  await until(() => got.length === 2);
  assert.deepEqual(got, ['meanwhile', 'after']);
});

test('says what was lost on a new channel, and hosts its sessions again', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const session = await ada.host({ tags: ['chat'], metadata: 1 });
  await session.update({ metadata: 2 });
  const was = session.sid;
  const [cid] = fake.channels.map((channel) => channel.cid);
  const detail = once(ada, 'channel', ({ lost }) => lost);
  fake.restart();
  // What goes into a WebSocket that is just breaking is neither answered nor refused.
  if (transport) await once(ada, 'state', ({ state }) => state === 'away');
  const late = await ada.send(was, 'to the old address', { origin: was }).catch((error) => error.code);
  const { resumed, lost, sessions, cid: fresh } = await detail;
  assert.notEqual(fresh, cid);
  assert.deepEqual({ resumed, lost, sessions }, { resumed: false, lost: true, sessions: [{ was, sid: session.sid }] });
  assert.notEqual(session.sid, was);
  assert.deepEqual(fake.channels[0].sessions.get(session.sid), { tags: ['chat'], list: undefined, metadata: 2 });
  assert.equal(late, 'unknown_target');
  const { body } = fake.requests.findLast(({ path }) => path.startsWith('/send'));
  assert.equal(body.origin, session.sid);
});

test('does not know what became of a send whose channel is lost', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const target = await ada.ready();
  fake.next(/send/, (request) => {
    loseAnswer(request);
    fake.restart();
  });
  await assert.rejects(ada.send(target, 1), { code: 'unanswered' });
});

test('a send that is not taken in time is rejected, and an aborted one with the reason', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake, { delay: () => 60_000 });
  const target = await ada.ready();
  fake.next(/channel/, loseRequest);
  fake.cut();
  await once(ada, 'state', ({ state }) => state === 'away');
  await assert.rejects(ada.send(target, 1, { within: 5 }), { code: 'timeout', retryable: true });
  const controller = new AbortController();
  const sending = ada.send(target, 1, { signal: controller.signal });
  controller.abort(new Error('mine'));
  await assert.rejects(sending, { message: 'mine' });
  const waiting = Promise.allSettled(Array.from({ length: 1024 }, () => ada.send(target, 1)));
  await assert.rejects(ada.send(target, 1), { code: 'queue_full' });
  await ada.close();
  const results = await waiting;
  assert.ok(results.every(({ reason }) => reason.code === 'closed'));
});

for (const reason of ['closed', 'revoked', 'superseded']) {
  test(`does not come back after ${reason}, until it is opened again`, async () => {
    const fake = await startFakeBroker();
    const ada = client(fake);
    await ada.ready();
    fake.channels[0].response.end(`event: close\ndata: {"reason":"${reason}"}\n\n`);
    const { error } = await once(ada, 'state', ({ state }) => state === 'closed');
    assert.equal(error.code, reason);
    await assert.rejects(ada.ready(), { code: reason });
    ada.open();
    await ada.ready();
    assert.equal(ada.state, 'open');
  });
}

test('comes back after shutting_down', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  await ada.ready();
  const back = once(ada, 'channel', ({ lost }) => lost);
  const { response } = fake.channels[0];
  response.write('event: close\ndata: {"reason":"shutting_down"}\n\n');
  fake.restart();
  await back;
});

test('ready rejects where there will be no channel, and waits where there may be one', async () => {
  const fake = await startFakeBroker();
  for (const [fault, code] of [
    [({ refuse }) => refuse(403, 'denied'), 'denied'],
    [({ response }) => response.writeHead(404).end('nothing here'), 'unreachable'],
    [({ response }) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>An application</h1>'), 'unreachable'],
  ]) {
    fake.next(/channel/, fault);
    await assert.rejects(client(fake).ready(), (error) => error instanceof BrokerError && error.code === code);
  }
  for (const fault of [({ refuse }) => refuse(503, 'at_capacity', 0.001), badGateway, loseRequest, ({ response }) => response.writeHead(429).end('A proxy is busy')]) {
    fake.next(/channel/, fault);
    await client(fake).ready();
  }
  await assert.rejects(client(fake).ready({ signal: AbortSignal.abort(new Error('mine')) }), { message: 'mine' });
});

test('asks for headers anew before each request', async () => {
  const fake = await startFakeBroker();
  let token = 0;
  const ada = client(fake, { headers: async () => ({ Authorization: `Bearer ${++token}` }) });
  await ada.send(await ada.ready(), 1);
  assert.deepEqual(fake.requests.map(({ headers }) => headers.authorization), ['Bearer 1', 'Bearer 2']);
}, ['a stream']);

test('asks for headers anew before each connection', async () => {
  const fake = await startFakeBroker();
  let token = 0;
  const ada = client(fake, { headers: async () => new Headers({ Authorization: `Bearer ${++token}` }) });
  await ada.send(await ada.ready(), 1);
  const back = once(ada, 'channel', ({ resumed }) => resumed);
  fake.cut();
  await back;
  await ada.close();
  const asked = fake.requests.filter(({ path }) => /^.channel($|.*close)/.test(path));
  assert.deepEqual(asked.map(({ headers }) => headers.authorization), ['Bearer 1', 'Bearer 2', 'Bearer 3']);
}, ['a WebSocket']);

test('a watch is shared by equal filters, marks own sessions and is true across a reconnect', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const bob = client(fake);
  const mine = await ada.host({ tags: ['chat'], listed: true, metadata: 'Ada' });
  const other = await bob.host({ tags: ['chat'], listed: true, metadata: 'Bob' });
  const watch = ada.watch('chat');
  const second = ada.watch('chat');
  await watch.ready;
  assert.equal(fake.requests.filter(({ path }) => path.endsWith('/watch')).length, 1);
  assert.deepEqual(watch.snapshot, [
    { sid: mine.sid, tags: ['chat'], metadata: 'Ada', own: true },
    { sid: other.sid, tags: ['chat'], metadata: 'Bob' },
  ]);
  const held = watch.snapshot;
  fake.tellAll();
  await ada.send(ada.cid, 'past the list');
  assert.equal(watch.snapshot, held);
  let changes = 0;
  const unsubscribe = second.subscribe(() => changes++);
  const back = once(ada, 'channel', ({ resumed }) => resumed);
  const [first] = fake.channels;
  first.response.destroy();
  fake.channels[1].sessions.clear();
  await back;
  await until(() => watch.snapshot.length === 1);
  assert.equal(watch.snapshot[0].sid, mine.sid);
  assert.equal(changes, 1);
  unsubscribe();
  watch.close();
  second.close();
  await until(() => first.watches.size === 0);
});

test('a watch is watched anew on a new channel and after unwatch, and over after a refusal', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const session = await ada.host({ listed: true });
  const watch = ada.watch();
  await watch.ready;
  fake.restart();
  await once(ada, 'channel', ({ lost }) => lost);
  await until(() => watch.snapshot[0]?.sid === session.sid && watch.snapshot.length === 1);
  const [channel] = fake.channels;
  const [name] = channel.watches.keys();
  channel.watches.clear();
  fake.emit(channel, 'unwatch', { watch: name, reason: 'overflow' }, false);
  await until(() => channel.watches.size === 1);
  fake.next(/watch/, ({ refuse }) => refuse(403, 'denied'));
  fake.emit(channel, 'unwatch', { watch: name, reason: 'scope_changed' }, false);
  await until(() => watch.error);
  assert.equal(watch.error.code, 'denied');
  assert.deepEqual(watch.snapshot, []);
  fake.next(/watch/, ({ refuse }) => refuse(400, 'invalid_filter'));
  await assert.rejects(ada.watch('a,,b').ready, { code: 'invalid_filter' });
});

test('a watch is asked for again where the refusal passes, and marks a session that it shows before its host knows it', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  await ada.ready();
  fake.next(/watch/, ({ refuse }) => refuse(503, 'at_capacity', 0.001));
  fake.next(/watch/, badGateway);
  const watch = ada.watch();
  await watch.ready;
  const [channel] = fake.channels;
  fake.next(/session/, ({ perform, response }) => {
    const end = response.end.bind(response);
    response.end = (json) => {
      watch.subscribe(() => end(json));
    };
    perform();
  });
  const { sid } = await ada.host({ listed: true });
  assert.deepEqual(watch.snapshot, [{ sid, tags: [], metadata: null, own: true }]);
  fake.emit(channel, 'ready', { watch: 'forgotten', count: 0 }, false);
  await until(() => fake.requests.some(({ path, body }) => path.endsWith('/unwatch') && body.watch === 'forgotten'));
});

for (const [name, fault] of [['request', loseRequest], ['answer', loseAnswer]]) {
  test(`a watch ends at the broker although the ${name} of its end is lost`, async () => {
    const fake = await startFakeBroker();
    const ada = client(fake);
    const watch = ada.watch();
    await watch.ready;
    fake.next(/unwatch/, fault);
    watch.close();
    const asked = () => fake.requests.filter(({ path }) => path.endsWith('/unwatch'));
    // Over a WebSocket also because the list is told again, which nobody wants.
    await until(() => asked().length >= 2);
    assert.equal(fake.channels[0].watches.size, 0);
    assert.deepEqual(asked()[0].body, asked()[1].body);
    const again = ada.watch();
    await again.ready;
    assert.notEqual([...fake.channels[0].watches.keys()][0], asked()[0].body.watch);
  });
}

test('for await tells a watch from the beginning, folds what a slow reader misses, and ends', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const one = await ada.host({ listed: true, metadata: 1 });
  const watch = ada.watch();
  const told = [];
  for await (const { type, session, count } of watch) {
    told.push([type, session?.metadata ?? count]);
    if (type === 'ready') {
      await one.update({ metadata: 2 });
      await one.update({ metadata: 3 });
      await ada.send(ada.cid, 'past the list');
    }
    if (type === 'change') fake.emit(fake.channels[0], 'remove', { sid: one.sid, watch: '1' }, false);
    if (type === 'remove') watch.close();
  }
  assert.deepEqual(told, [['add', 1], ['ready', 1], ['change', 3], ['remove', 3]]);
});

test('a watch holds at most max sessions', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake, { max: 2 });
  for (let i = 0; i < 3; i++) await ada.host({ listed: true });
  const watch = ada.watch();
  await watch.ready;
  assert.equal(watch.snapshot.length, 2);
});

test('lists page after page', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  for (let i = 0; i < 5; i++) await ada.host({ listed: true, metadata: i });
  const seen = [];
  for await (const { metadata, own } of ada.list('', { limit: 2 })) seen.push([metadata, own]);
  assert.deepEqual(seen, [0, 1, 2, 3, 4].map((i) => [i, true]));
  assert.equal(fake.requests.filter(({ path }) => path === '/list').length, 3);
});

test('what strangers wrote is checked, and dropped where it is wrong', async () => {
  const fake = await startFakeBroker();
  const isNumber = (json) => {
    if (typeof json !== 'number') throw new TypeError('Not a number');
    return json;
  };
  const ada = client(fake, { check: { message: isNumber, metadata: isNumber } });
  const malformed = [];
  ada.addEventListener('malformed', ({ detail }) => malformed.push(detail.error.message));
  const got = collect(ada);
  ada.intercept(({ message }) => message === 'mine');
  const cid = await ada.ready();
  for (const message of ['mine', 'text', 7]) await ada.send(cid, message);
  await until(() => got.length);
  assert.deepEqual(got, [7]);
  await ada.host({ listed: true, metadata: 'text' });
  const watch = ada.watch();
  await watch.ready;
  assert.deepEqual(watch.snapshot, []);
  assert.deepEqual(malformed, ['Not a number', 'Not a number']);
});

test('what an interceptor or a listener throws is an uncaught error, and stops nothing', async (t) => {
  const uncaught = [];
  const handlers = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', ({ message }) => uncaught.push(message));
  t.after(() => {
    process.removeAllListeners('uncaughtException');
    handlers.forEach((handler) => process.on('uncaughtException', handler));
  });
  const fake = await startFakeBroker();
  const ada = client(fake, { check: { message: (json) => json } });
  const errors = [];
  for (const type of ['malformed', 'state']) ada.addEventListener(type, ({ detail: { error } }) => error && errors.push(error));
  const got = collect(ada);
  const seen = [];
  const fault = (name) => {
    throw new Error(name);
  };
  ada.intercept(() => fault('interceptor'));
  ada.intercept(({ message }) => void seen.push(message));
  ada.addEventListener('message', () => fault('listener'));
  const cid = await ada.ready();
  for (const message of [1, 2]) await ada.send(cid, message);
  await until(() => got.length === 2);
  assert.deepEqual([got, seen], [[1, 2], [1, 2]]);
  await until(() => uncaught.length === 4);
  assert.deepEqual(errors, []);
  assert.deepEqual(uncaught.sort(), ['interceptor', 'interceptor', 'listener', 'listener']);
});

test('messages are read by for await, and a reader that does not keep up is told', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const target = await ada.ready();
  const reading = ada.messages();
  const first = reading.next();
  await ada.send(target, 1);
  assert.equal((await first).value.message, 1);
  const [channel] = fake.channels;
  for (let i = 0; i <= 1025; i++) fake.emit(channel, 'message', { origin: target, target, message: i });
  await once(ada, 'message', ({ message }) => message === 1025);
  await assert.rejects(reading.next(), { code: 'overflow' });
  const other = ada.messages();
  const ended = other.next();
  await ada.close();
  assert.deepEqual(await ended, { value: undefined, done: true });
});

test('ICE servers are asked afresh before they run out', async () => {
  const fake = await startFakeBroker();
  const servers = (name) => ({ iceServers: [{ urls: [`turn:${name}`] }] });
  const bare = client(fake);
  assert.deepEqual(await bare.iceServers(), []);
  fake.iceServers = { ...servers('old'), iceTtl: 0.001 };
  const ada = client(fake);
  await ada.ready();
  fake.iceServers = { ...servers('new'), iceTtl: 3_600 };
  const asked = Date.now();
  await until(() => Date.now() > asked + 1);
  fake.next(/ice/, ({ refuse }) => refuse(503, 'at_capacity', 1));
  await assert.rejects(ada.iceServers(), { code: 'at_capacity' });
  assert.deepEqual(await Promise.all([ada.iceServers(), ada.iceServers()]), [fake.iceServers.iceServers, fake.iceServers.iceServers]);
  assert.deepEqual(await ada.iceServers(), fake.iceServers.iceServers);
  assert.equal(fake.requests.filter(({ path }) => path.endsWith('/ice')).length, 2);
});

for (const [iceTtl, asks] of [[1e300, 0], [-5, 2], ['soon', 2], [null, 2]]) {
  test(`ICE servers that are good for ${iceTtl} s are asked afresh ${asks} times`, async () => {
    const fake = await startFakeBroker();
    fake.iceServers = { iceServers: [], iceTtl };
    const ada = client(fake);
    for (let i = 0; i < 2; i++) await Promise.all([ada.iceServers(), ada.iceServers()]);
    assert.equal(fake.requests.filter(({ path }) => path.endsWith('/ice')).length, asks);
  });
}

test('the last ICE servers do while fresh ones are refused, until they run out', async (t) => {
  const fake = await startFakeBroker();
  fake.iceServers = { iceServers: [{ urls: ['turn:old'] }], iceTtl: 100 };
  const ada = client(fake);
  await ada.ready();
  const begun = Date.now();
  let passed = 80_000;
  t.mock.method(Date, 'now', () => begun + passed);
  fake.next(/ice/, ({ refuse }) => refuse(503, 'at_capacity', 1));
  assert.deepEqual(await ada.iceServers(), fake.iceServers.iceServers);
  passed = 110_000;
  fake.next(/ice/, ({ refuse }) => refuse(503, 'at_capacity', 1));
  await assert.rejects(ada.iceServers(), { code: 'at_capacity' });
});

for (const failure of [Object.assign(new Error('No token.'), { code: 'auth/failed' }), Object.assign(new Error('No token.'), { code: 'EX', status: 404 }), undefined]) {
  test(`headers that fail with ${failure?.code} are a broken connection`, async () => {
    const fake = await startFakeBroker();
    let failures = 2;
    const headers = () => (failures-- > 0 ? Promise.reject(failure) : {});
    const ada = client(fake, { headers });
    await ada.ready();
    failures = 1;
    assert.equal((await ada.send(ada.cid, 'hello')).delivery, 'sent');
  });
}

test('headers that never settle hold a send up for ten seconds, and do not end it as if it had been sent', async (t) => {
  const { timeout } = AbortSignal;
  t.mock.method(AbortSignal, 'timeout', (milliseconds) => timeout.call(AbortSignal, milliseconds / 500));
  const fake = await startFakeBroker();
  let hanging = 0;
  const ada = client(fake, { headers: () => (hanging-- > 0 ? new Promise(() => {}) : {}) });
  const errors = [];
  ada.addEventListener('state', ({ detail: { error } }) => error && errors.push(error));
  hanging = 1;
  await ada.ready();
  assert.deepEqual(errors.map(({ code, retryable }) => [code, retryable]), [['unreachable', true]]);
  assert.match(errors[0].message, /headers from the application/);
  hanging = 2;
  assert.deepEqual(await ada.send(ada.cid, 1), { delivery: 'sent' });
  hanging = Infinity;
  await assert.rejects(ada.send(ada.cid, 2, { within: 200 }), { code: 'timeout', message: /headers from the application/ });
  hanging = 0;
  assert.equal(fake.requests.filter(({ path }) => path.startsWith('/send')).length, 1);
}, ['a stream']); // on a WebSocket only its handshake has headers

test('a page that sleeps lets go of its stream and keeps its channel; one that leaves closes it as text', async () => {
  const fake = await startFakeBroker();
  let page;
  const ada = client(fake, { lifecycle: (on) => {
    page = on;
  } });
  const cid = await ada.ready();
  const [channel] = fake.channels;
  page.sleep();
  assert.equal(ada.state, 'away');
  await until(() => !channel.response);
  const back = once(ada, 'channel', ({ resumed }) => resumed);
  page.wake();
  assert.equal((await back).cid, cid);
  page.wake();
  assert.equal(ada.state, 'open');
  page.leave();
  assert.equal(ada.state, 'closed');
  await until(() => fake.channels.length === 0);
  const { headers, body } = fake.requests.find(({ path }) => path.endsWith('/close'));
  assert.equal(headers['content-type'], 'text/plain');
  assert.deepEqual(body, { key: channel.key });
});

test('a close is idempotent, and says so to everything that waits', async () => {
  const fake = await startFakeBroker();
  const ada = client(fake);
  const session = await ada.host();
  const watch = ada.watch();
  await watch.ready;
  await Promise.all([ada.close(), ada.close()]);
  await session.close();
  assert.equal(fake.channels.length, 0);
  await assert.rejects(ada.send('anybody', 1), { code: 'closed' });
  await assert.rejects(ada.host(), { code: 'closed' });
  await assert.rejects(ada.watch().ready, { code: 'closed' });
  for await (const change of watch) assert.fail(change.type);
  assert.equal(ada.cid, null);
  await client(fake).close();
});
