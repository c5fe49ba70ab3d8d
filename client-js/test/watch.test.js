import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BrokerError } from '../client/error.js';
import { sharedList } from '../client/watch.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const session = (metadata) => ({ tags: [], metadata });
const add = (list, sid, metadata = 0) => list.add({ sid, session: session(metadata) });
const plain = (sid, { tags, metadata }) => ({ sid, tags, metadata });
const nothing = () => {};
const microtasks = () => new Promise((resolve) => setImmediate(resolve));

/** Bytes that are still held after something was done so many times. */
async function held(times, act) {
  for (let i = 0; i < 1_000; i++) await act(-1 - i);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < times; i++) await act(i);
  await microtasks();
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

test('sessions that came and went leave nothing behind', async () => {
  const list = sharedList(10, plain);
  list.ready();
  const bytes = await held(50_000, (i) => {
    add(list, `session ${i}`);
    list.remove({ sid: `session ${i}` });
  });
  assert.ok(bytes < 1_000_000, `${bytes} bytes`);
});

test('changes that were read leave nothing behind', async () => {
  const list = sharedList(10, plain);
  const watch = list.view(nothing);
  const reading = watch[Symbol.asyncIterator]();
  list.ready();
  await reading.next();
  const bytes = await held(20_000, async (i) => {
    const next = reading.next();
    await microtasks();
    add(list, 'one', i);
    await next;
  });
  assert.ok(bytes < 1_000_000, `${bytes} bytes`);
  watch.close();
});

test('what changes together is one call, and the same told again is none', async () => {
  const list = sharedList(10, plain);
  const watch = list.view(nothing);
  let calls = 0;
  watch.subscribe(() => calls++);
  add(list, 'a');
  await microtasks();
  assert.deepEqual([calls, watch.snapshot], [0, []]);
  list.ready();
  await microtasks();
  assert.deepEqual([calls, watch.snapshot.length], [1, 1]);
  add(list, 'b');
  add(list, 'c');
  list.remove({ sid: 'a' });
  await microtasks();
  assert.equal(calls, 2);
  const before = watch.snapshot;
  list.begin();
  add(list, 'b');
  add(list, 'c');
  list.remove({ sid: 'nobody' });
  list.ready();
  await microtasks();
  assert.equal(calls, 2);
  assert.equal(watch.snapshot, before);
  list.begin();
  add(list, 'c');
  assert.equal(watch.snapshot.length, 2);
  list.ready();
  await microtasks();
  assert.deepEqual([calls, watch.snapshot.map(({ sid }) => sid)], [3, ['c']]);
});

test('a watcher that has closed hears nothing more of a list that others watch', async () => {
  const list = sharedList(10, plain);
  let released = 0;
  const [one, other] = [list.view(() => released++), list.view(nothing)];
  const calls = [];
  one.subscribe(() => calls.push('one'));
  const stop = other.subscribe(() => calls.push('other'));
  list.ready();
  one.close();
  one.close();
  await microtasks();
  assert.deepEqual([calls, released, list.views.size], [['other'], 1, 1]);
  await one.ready; // it was, before the close
  stop();
  add(list, 'a');
  await microtasks();
  assert.equal(calls.length, 1);
  other.close();
  assert.equal(list.views.size, 0);
});

test('a watch that is closed before it is ready rejects with the reason', async () => {
  const list = sharedList(10, plain);
  const watch = list.view(nothing);
  watch.close();
  await assert.rejects(watch.ready, { code: 'closed' });
  const controller = new AbortController();
  const other = list.view(nothing, controller.signal);
  const reading = other[Symbol.asyncIterator]().next();
  controller.abort(new Error('mine'));
  await assert.rejects(other.ready, { message: 'mine' });
  assert.deepEqual(await reading, { value: undefined, done: true });
});

test('a reader that closes in the middle of the changes is told no more of them', async () => {
  const list = sharedList(10, plain);
  for (const sid of 'abc') add(list, sid);
  list.ready();
  const watch = list.view(nothing);
  const told = [];
  for await (const change of watch) {
    told.push(change.session.sid);
    watch.close();
  }
  assert.deepEqual(told, ['a']);
});

test('a list that fails is empty, and throws at those who read it', async () => {
  const list = sharedList(10, plain);
  const watch = list.view(nothing);
  add(list, 'a');
  list.ready();
  const reading = watch[Symbol.asyncIterator]();
  assert.equal((await reading.next()).value.type, 'add');
  list.fail(new BrokerError('denied', ''));
  assert.deepEqual(watch.snapshot, []);
  assert.deepEqual((await reading.next()).value, { type: 'remove', session: { sid: 'a', ...session(0) } });
  await assert.rejects(reading.next(), { code: 'denied' });
});

test('what an application makes of metadata may be anything', async () => {
  const list = sharedList(10, (sid, told) => ({ sid, metadata: BigInt(told.metadata) }));
  const watch = list.view(nothing);
  add(list, 'a', 1);
  add(list, 'a', 1);
  add(list, 'a', 2);
  list.own('a');
  list.own('b');
  add(list, 'a', 2);
  list.ready();
  assert.deepEqual(watch.snapshot, [{ sid: 'a', metadata: 2n, own: true }]);
});

test('a list holds no more than it may, whatever is told', async () => {
  const list = sharedList(2, (sid, told) => (told.metadata === 'bad' ? undefined : plain(sid, told)));
  const watch = list.view(nothing);
  for (const sid of 'abc') add(list, sid);
  add(list, 'a', 'changed');
  add(list, 'b', 'bad');
  list.ready();
  assert.deepEqual(watch.snapshot.map(({ sid, metadata }) => [sid, metadata]), [['a', 'changed']]);
});

test('a listener that throws harms no other', async (t) => {
  const list = sharedList(2, plain);
  const thrown = [];
  t.mock.method(globalThis, 'queueMicrotask', (call) => Promise.resolve().then(call).catch((error) => thrown.push(error.message)));
  const watch = list.view(nothing);
  watch.subscribe(() => {
    throw new Error('one');
  });
  watch.subscribe(() => thrown.push('not thrown'));
  list.ready();
  await microtasks();
  assert.deepEqual(thrown.sort(), ['not thrown', 'one']);
});
