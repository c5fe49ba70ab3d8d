import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { scripted } from './tools/scripted.js';
import { once, settle, until } from './tools/waiting.js';

const rejections = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));
after(() => assert.deepEqual(rejections, []));

const sent = ({ body, answer }) => answer({ deliveries: body.messages.map(() => ({ delivery: 'sent' })) });

test('what is aborted before it begins does not happen', async (t) => {
  const { broker, open, to, streams } = scripted(t);
  await open('a');
  const signal = AbortSignal.abort(new Error('mine'));
  await assert.rejects(broker.send('x', 1, { signal }), { message: 'mine' });
  await assert.rejects(broker.host({}, { signal }), { message: 'mine' });
  await assert.rejects(broker.watch('', { signal }).ready, { message: 'mine' });
  for await (const change of broker.watch('', { signal })) assert.fail(change.type);
  await assert.rejects(broker.messages({ signal }).next(), { message: 'mine' });
  assert.deepEqual(await to(/send|session/), []);
  const closed = scripted(t, { signal });
  assert.equal(closed.broker.state, 'closed');
  await assert.rejects(closed.broker.ready(), { code: 'closed' });
  assert.deepEqual([streams.length, closed.streams.length], [1, 0]);
});

for (const state of ['connecting', 'open', 'away', 'closed']) {
  test(`a listener of ${state} may close, and may open again`, async (t) => {
    const { broker, open, say, streams } = scripted(t);
    const messages = [];
    broker.addEventListener('message', ({ detail }) => messages.push(detail.message));
    broker.addEventListener('state', ({ detail }) => detail.state === state && broker.close());
    broker.open();
    if (state !== 'connecting') await open('a');
    if (state === 'away') streams[0].end();
    if (state === 'closed') broker.close();
    await settle();
    assert.equal(broker.state, 'closed');
    for (const stream of streams) {
      assert.ok(stream.signal.aborted);
      stream.on.event('channel', '{"cid":"late","key":"k"}', 'late.1');
    }
    assert.equal(broker.state, 'closed');
    if (state !== 'closed') return;
    broker.open();
    await open('b');
    broker.addEventListener('state', () => broker.open(), { once: true });
    streams.at(-1).on.event('close', '{"reason":"revoked"}');
    await open('c');
    await say('message', { origin: 'x', target: 'c', message: 1 }, 'c.2');
    assert.deepEqual(messages, [1]);
  });
}

test('a channel that is continued with a message tells it to nobody who closes at that moment', async (t) => {
  const { broker, open, streams } = scripted(t);
  await open('a');
  streams[0].end();
  await until(() => streams.length === 2);
  broker.addEventListener('message', () => assert.fail('after the close'));
  broker.addEventListener('state', () => broker.close());
  streams[1].on.event('message', '{"origin":"x","target":"a","message":1}', 'a.2');
  await settle();
  assert.equal(broker.state, 'closed');
});

test('a watch that begins while the broker is away is there after a resume', async (t) => {
  const { broker, open, streams, say, to } = scripted(t);
  await open('a');
  streams[0].end();
  await until(() => streams.length === 2);
  assert.equal(broker.state, 'away');
  const late = broker.watch('chat');
  streams[1].on.comment();
  const [{ body: { watch }, answer }] = await to(/watch/);
  answer({});
  await say('add', { watch, sid: 'x', session: { tags: ['chat'], metadata: null } });
  await say('ready', { watch, count: 1 });
  await late.ready;
  assert.equal(late.snapshot.length, 1);
});

test('a watch of a closed broker says why there is nothing, and is not in the way of the next', async (t) => {
  const { broker, open, say, streams, to } = scripted(t);
  await open('a');
  streams[0].on.event('close', '{"reason":"revoked"}');
  const late = broker.watch('chat');
  await assert.rejects(late.ready, { code: 'revoked' });
  broker.open();
  await open('b');
  const next = broker.watch('chat');
  const [{ body: { watch }, answer }] = await to(/watch/);
  answer({});
  await say('ready', { watch, count: 0 });
  await next.ready;
  assert.equal(late.error.code, 'revoked');
});

test('a session is hosted again however much waits to be sent', async (t) => {
  const { broker, open, to, streams } = scripted(t);
  await open('a');
  const hosting = broker.host();
  (await to(/session/))[0].answer({ sid: 's' });
  const session = await hosting;
  const back = once(broker, 'channel', ({ lost }) => lost);
  streams[0].end();
  await settle();
  const waiting = Array.from({ length: 1_024 }, () => broker.send('x', 1).catch(({ code }) => code));
  await assert.rejects(broker.send('x', 1), { code: 'queue_full', retryable: true });
  await until(() => streams.length === 2);
  await open('b');
  (await to(/session/))[0].answer({ sid: 't' });
  assert.deepEqual((await back).sessions, [{ was: 's', sid: 't' }]);
  assert.equal(session.sid, 't');
  await broker.close();
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['closed']));
});

test('a session waits for its new channel as long as it takes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { broker, open, streams, to } = scripted(t);
  await open('a');
  const hosting = broker.host();
  (await to(/session/))[0].answer({ sid: 's' });
  await hosting;
  streams[0].end();
  await settle();
  t.mock.timers.tick(1);
  const back = new Promise((resolve) => broker.addEventListener('channel', ({ detail }) => resolve(detail)));
  await open('b');
  const [post] = await to(/session/);
  t.mock.timers.tick(30_001);
  await settle();
  post.answer({ sid: 't' });
  assert.deepEqual((await back).sessions, [{ was: 's', sid: 't' }]);
});

test('a send that may take for ever waits for a connection as long as it takes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { broker, open, to } = scripted(t);
  const sending = broker.send('x', 1, { within: Infinity });
  t.mock.timers.tick(60_000);
  await settle();
  await open('a');
  sent((await to(/send/))[0]);
  assert.deepEqual(await sending, { delivery: 'sent' });
});

test('what was sent and not answered in time may have happened', async (t) => {
  const { broker, open, to } = scripted(t);
  await open('a');
  const refused = assert.rejects(broker.send('x', 1, { within: 200 }), { code: 'unanswered', retryable: false });
  const [post] = await to(/send/);
  await refused;
  const next = broker.send('x', 2);
  sent(post);
  const [second] = await to(/send/);
  assert.equal(second.body.seq, 2);
  sent(second);
  await next;
});

test('what is sent after a close and an open in one turn is for the next channel, whatever becomes of what was sent before', async (t) => {
  const { broker, open, to } = scripted(t);
  await open('a');
  const before = broker.send('x', 1);
  const [late] = await to(/send/);
  const waiting = broker.send('x', 2);
  broker.close();
  broker.open();
  const sending = broker.send('x', 3);
  await assert.rejects(before, { code: 'closed' });
  await assert.rejects(waiting, { code: 'closed' });
  await open('b');
  const [post] = await to(/send/);
  assert.deepEqual([post.body.key, post.body.seq, post.body.messages], ['key of b', 1, [3]]);
  sent(late);
  await settle();
  const next = broker.send('x', 4);
  sent(post);
  assert.deepEqual(await sending, { delivery: 'sent' });
  sent((await to(/send/))[0]);
  assert.deepEqual(await next, { delivery: 'sent' });
});

test('a close and an open in the turn in which the channel opens leave nothing to the old one', async (t) => {
  const { broker, open, to } = scripted(t);
  broker.send('x', 1).catch(() => {});
  let sending;
  broker.addEventListener('state', ({ detail: { state } }) => {
    if (state !== 'open' || sending) return;
    broker.close();
    broker.open();
    sending = broker.send('x', 2);
  });
  await open('a');
  await open('b');
  const [post] = await to(/send/);
  assert.deepEqual([post.body.key, post.body.messages], ['key of b', [2]]);
  sent(post);
  await sending;
});

test('an answer that no broker gives is none: what was sent is repeated with its number', async (t) => {
  const { broker, open, to } = scripted(t);
  await open('a');
  const sending = broker.send('x', 1);
  for (const answer of [null, { deliveries: 7 }, { deliveries: [null] }]) {
    let post;
    await until(async () => ([post] = await to(/send/))[0]);
    assert.equal(post.body.seq, 1);
    post.answer(answer);
  }
  let last;
  await until(async () => ([last] = await to(/send/))[0]);
  sent(last);
  assert.deepEqual(await sending, { delivery: 'sent' });
});

test('a reader of messages that aborts reads none of those that wait', async (t) => {
  const { broker, open, say } = scripted(t);
  await open('a');
  const controller = new AbortController();
  const reading = broker.messages({ signal: controller.signal });
  const first = reading.next();
  for (const message of [1, 2]) await say('message', { origin: 'x', target: 'a', message }, `a.${message + 1}`);
  assert.equal((await first).value.message, 1);
  controller.abort(new Error('mine'));
  await assert.rejects(reading.next(), { message: 'mine' });
});

test('a session that was answered for a channel that is gone is hosted on the next', async (t) => {
  const { broker, open, replace, to } = scripted(t);
  await open('a');
  const hosting = broker.host({ tags: ['chat'] });
  const [first] = await to(/session/);
  await replace('b');
  first.answer({ sid: 's' });
  const [second] = await to(/session/);
  assert.deepEqual(second.body, { key: 'key of b', seq: 1, cid: 'b', tags: ['chat'] });
  second.answer({ sid: 't' });
  const { sid, close } = await hosting;
  assert.equal(sid, 't');
  close();
  const [closing] = await to(/session/);
  assert.equal(closing.path, '/session/t/close');
  closing.answer({});
});

test('messages() holds 1,024, not one more, and ends with the broker', async (t) => {
  const { broker, open, say } = scripted(t);
  await open('a');
  const [full, over] = [broker.messages(), broker.messages()];
  const first = [full.next(), over.next()];
  for (let i = 0; i <= 1_024; i++) await say('message', { origin: 'x', target: 'a', message: i }, `a.${i + 2}`);
  assert.deepEqual((await Promise.all(first)).map(({ value }) => value.message), [0, 0]);
  for (let i = 1; i <= 1_024; i++) assert.equal((await full.next()).value.message, i);
  await say('message', { origin: 'x', target: 'a', message: 1_025 }, 'a.1027');
  await assert.rejects(over.next(), { code: 'overflow' });
  assert.equal((await full.next()).value.message, 1_025);
  const end = full.next();
  broker.close();
  assert.deepEqual(await end, { value: undefined, done: true });
  assert.deepEqual(await broker.messages().next(), { value: undefined, done: true });
});

test('a list that ended by itself is asked for again after a pause', async (t) => {
  const pauses = [];
  const { broker, open, say, to } = scripted(t, { delay: (attempt) => pauses.push(attempt) });
  await open('a');
  broker.watch();
  const [{ body: { watch }, answer }] = await to(/watch/);
  answer({});
  await say('unwatch', { watch, reason: 'overflow' });
  await until(() => pauses.length === 1);
});

test('a Retry-After of a year holds a watch up for five minutes, and what is sent for ten seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { broker, open, to } = scripted(t, { delay: () => 100 });
  await open('a');
  broker.watch();
  broker.send('x', 1, { within: 600_000 }).catch(() => {});
  for (const { refuse } of await to(/watch|send/)) refuse(503, 'at_capacity', 31_536_000);
  await settle();
  const asked = [];
  for (const milliseconds of [10_099, 1, 289_999, 1]) {
    t.mock.timers.tick(milliseconds);
    asked.push((await to(/watch|send/)).map(({ path }) => path));
  }
  assert.deepEqual(asked, [[], ['/send/x'], [], ['/channel/a/watch']]);
});

test('two brokers on a page know nothing of each other', async (t) => {
  const [one, other] = [scripted(t), scripted(t)];
  await one.open('a');
  await other.open('a');
  await one.broker.close().catch(() => {});
  assert.deepEqual([one.broker.state, other.broker.state], ['closed', 'open']);
});

test('the farewell of a page that goes away outlives it', async (t) => {
  const kept = [];
  let leave;
  const { open } = scripted(t, {
    lifecycle(on) {
      ({ leave } = on);
    },
    fetch: async (path, { keepalive }) => {
      if (keepalive) kept.push(path);
      return Response.json({});
    },
  });
  await open('a');
  leave();
  await settle();
  assert.deepEqual(kept, ['/channel/a/close']);
});
