import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError, gate } from '../client/error.js';
import { outbox } from '../client/outbox.js';
import { settle } from './tools/waiting.js';

/** An outbox whose posts are answered by the test, on a channel that is open unless `close` was called. */
function start() {
  const posts = [];
  const pauses = [];
  const lost = new Set();
  let opened = gate();
  let channel = { cid: 'a', key: 'k', seq: 0 };
  opened.resolve(channel);
  const self = outbox({
    open: () => opened.promise,
    post: (path, json, { sending }) => new Promise((resolve, reject) => {
      if (!box.hasNoHeaders) sending();
      posts.push({ path, body: JSON.parse(json), resolve, reject });
    }),
    lives: async ({ cid }) => !lost.has(cid),
    pause: async (...values) => void pauses.push(values),
    address: (origin) => (lost.has(origin) ? 'successor' : origin),
  });
  const box = {
    ...self, posts, pauses, lost,
    hasNoHeaders: false,
    send: (target, message, rest) => self.add({ target, json: JSON.stringify(message), ...rest }),
    away() {
      opened = gate();
    },
    back(cid) {
      channel = cid ? { cid, key: 'k', seq: 0 } : channel;
      opened.resolve(channel);
    },
    /** What the outbox has posted since the last call. */
    async posted() {
      await settle();
      return posts.splice(0);
    },
  };
  return box;
}

const sent = ({ body, resolve }) => resolve({ deliveries: body.messages.map(() => ({ delivery: 'sent' })) });
const refusal = (code, retryAfter) => new BrokerError(code, '', 429, retryAfter);

test('takes what waits for one target together, in order, and from one origin', async () => {
  const box = start();
  const all = Promise.all([
    box.send('x', 0), box.send('x', 1), box.send('y', 2), box.send('x', 3, { origin: 's' }), box.send('x', 4), box.send('y', 5),
  ]);
  const bodies = [];
  for (let [post] = await box.posted(); post; [post] = await box.posted()) {
    bodies.push([post.path, post.body.origin, post.body.seq, ...post.body.messages]);
    sent(post);
  }
  assert.deepEqual(bodies, [['/send/x', 'a', 1, 0, 1], ['/send/y', 'a', 2, 2, 5], ['/send/x', 's', 3, 3], ['/send/x', 'a', 4, 4]]);
  assert.equal((await all).length, 6);
});

test('waits out what is about the whole channel, with a new number and in order', async () => {
  const box = start();
  const sending = box.send('x', 1);
  const [first] = await box.posted();
  const next = box.send('x', 2);
  first.reject(refusal('rate_limited', 60));
  const [again] = await box.posted();
  assert.deepEqual(box.pauses, [[0, 10]]);
  assert.deepEqual([first.body.seq, again.body.seq, again.body.messages], [1, 2, [1, 2]]);
  again.resolve({ deliveries: [{ delivery: 'sent' }, { delivery: 'refused', code: 'at_capacity', detail: '' }] });
  const [last] = await box.posted();
  assert.deepEqual(last.body.messages, [2]);
  sent(last);
  await Promise.all([sending, next]);
});

test('a refusal of the target is one for all that goes to it', async () => {
  const box = start();
  const blocking = box.send('y', 0);
  const all = Promise.allSettled([box.send('x', 1), box.send('x', 2), box.send('x', 3)]);
  sent((await box.posted())[0]);
  await blocking;
  const [post] = await box.posted();
  post.resolve({ deliveries: [{ delivery: 'sent' }, ...Array(2).fill({ delivery: 'refused', code: 'target_busy', detail: '' })] });
  assert.deepEqual((await all).map(({ reason }) => reason?.code), [undefined, 'target_busy', 'target_busy']);
  assert.ok((await all)[1].reason.retryable);
  assert.deepEqual(await box.posted(), []);
});

test('gives up a number that nobody waits for, and goes on', async () => {
  const box = start();
  const controller = new AbortController();
  const sending = box.add({ target: 'x', json: '1' }, { signal: controller.signal });
  const [first] = await box.posted();
  controller.abort();
  await assert.rejects(sending, { name: 'AbortError' });
  first.reject(new BrokerError('unreachable', ''));
  assert.deepEqual(await box.posted(), []);
  const next = box.send('x', 2);
  const [post] = await box.posted();
  assert.deepEqual([post.body.seq, post.body.messages], [2, [2]]);
  sent(post);
  await next;
});

test('repeats with the same number until there is an answer, more slowly each time, and not while away', async () => {
  const box = start();
  const sending = box.send('x', 1);
  for (let attempt = 0; attempt < 3; attempt++) {
    const [post] = await box.posted();
    assert.equal(post.body.seq, 1);
    if (attempt === 2) box.away();
    post.reject(new BrokerError('unreachable', ''));
  }
  assert.deepEqual(await box.posted(), []);
  box.back();
  const [post] = await box.posted();
  sent(post);
  await sending;
  assert.deepEqual(box.pauses, [[0], [1], [2]]);
});

test('on a new channel sessions come first, and what was certainly not performed is sent', async () => {
  const box = start();
  const sending = box.send('x', 1, { origin: 's' });
  const [post] = await box.posted();
  const waiting = box.send('y', 2);
  box.lost.add('a').add('s');
  box.away();
  const hosting = box.add({ path: () => '/session', body: (cid) => ({ cid }), isFirst: true });
  post.reject(new BrokerError('unknown_channel', '', 404));
  await box.posted();
  box.back('b');
  const [session] = await box.posted();
  assert.deepEqual([session.path, session.body], ['/session', { key: 'k', seq: 1, cid: 'b' }]);
  session.resolve({ sid: 't' });
  const [again] = await box.posted();
  assert.deepEqual([again.path, again.body.origin], ['/send/x', 'successor']);
  sent(again);
  sent((await box.posted())[0]);
  assert.deepEqual(await Promise.all([sending, waiting, hosting]), [{ delivery: 'sent' }, { delivery: 'sent' }, { sid: 't' }]);
});

test('a message whose channel is lost before an answer is not repeated on the next', async () => {
  const box = start();
  const sending = box.send('x', 1);
  const [post] = await box.posted();
  box.lost.add('a');
  box.back('b');
  post.reject(new BrokerError('unreachable', ''));
  (await box.posted())[0].reject(new BrokerError('unknown_channel', '', 404));
  await assert.rejects(sending, { code: 'unanswered' });
  assert.deepEqual(await box.posted(), []);
});

test('a message that was never sent, since there were no headers, is not lost with its channel', async () => {
  const box = start();
  box.hasNoHeaders = true;
  const sending = box.send('x', 1);
  const [first] = await box.posted();
  box.hasNoHeaders = false;
  first.reject(new BrokerError('unreachable', 'No headers.'));
  box.lost.add('a');
  box.away();
  box.back('b');
  (await box.posted())[0].reject(new BrokerError('unknown_channel', '', 404));
  sent((await box.posted())[0]);
  assert.deepEqual(await sending, { delivery: 'sent' });
});
