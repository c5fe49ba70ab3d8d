import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventSource } from '../client/eventsource.js';
import { eventReader, fetchStream } from '../client/stream.js';

/** Everything that a reader tells of a text that comes in these pieces. */
function read(...pieces) {
  const told = [];
  const push = eventReader({
    event: (...event) => told.push(event),
    retry: (milliseconds) => told.push(milliseconds),
    comment: () => told.push(':'),
  });
  pieces.forEach((piece) => push(piece));
  return told;
}

test('reads the fields of an event', () => {
  assert.deepEqual(read('id: 7\nevent: add\ndata: {"a":1}\n\n'), [['add', '{"a":1}', '7']]);
  assert.deepEqual(read('data:one\ndata:  two\ndata\n\n'), [['message', 'one\n two\n', '']]);
  assert.deepEqual(read('event: add\ndata: 1\n\ndata: 2\n\n'), [['add', '1', ''], ['message', '2', '']]);
  assert.deepEqual(read('id: 1\n\ndata: 2\n\n'), [['message', '2', '1']]);
  assert.deepEqual(read('event: nothing\n\n'), []);
  assert.deepEqual(read('data: cut off\n'), []);
  assert.deepEqual(read(':\n\n: comment\nretry: 250\nretry: -1\nretry\nretry: 1e3\n'), [':', ':', 250]);
  assert.deepEqual(read('id: 1\nid: a\0b\ntoString: x\n__proto__: y\ndata: z\n\n'), [['message', 'z', '1']]);
});

test('gives the same events in whatever pieces they come', () => {
  const text = 'retry: 5\r\n\r\n:\r\rid: 1\r\nevent: add\r\ndata: {"a":1}\r\n\r\ndata: x\ndata: y\n\n: c\n\rid: 2\rdata:z\r\r\ndata: €\r\n\n';
  const whole = read(text);
  assert.equal(whole.length, 7);
  let seed = 1;
  const random = (below) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  assert.deepEqual(read(...text), whole);
  for (let round = 0; round < 2_000; round++) {
    const pieces = [];
    for (let at = 0; at < text.length;) {
      const length = random(8);
      pieces.push(text.slice(at, at + length));
      at += length;
    }
    assert.deepEqual(read(...pieces), whole, JSON.stringify(pieces));
  }
});

test('decodes characters that are cut in two', async () => {
  const bytes = new TextEncoder().encode('data: €😀\n\n');
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const fetch = async () => new Response(body, { headers: { 'Content-Type': 'text/event-stream;charset=utf-8' } });
  const events = [];
  let heard = 0;
  await fetchStream('/channel', { fetch }, { heard: () => heard++, event: (...event) => events.push(event) });
  assert.deepEqual(events, [['message', '€😀', '']]);
  assert.equal(heard, bytes.length);
});

test('reads by an EventSource that is passed in', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let source;
  class Fake extends EventTarget {
    constructor(url, init) {
      super();
      Object.assign(this, { url, init, isClosed: false });
      source = this;
    }

    close() {
      this.isClosed = true;
    }

    tell(type, values) {
      this.dispatchEvent(Object.assign(new Event(type), values));
    }
  }
  const told = [];
  const on = {
    heard: () => told.push('heard'),
    comment: () => told.push('comment'),
    event: (...event) => told.push(event),
  };
  const open = (signal) => eventSource(Fake)('/channel?resume=60', { headers: { a: 'b' }, credentials: 'include', signal }, on);
  const broken = open(new AbortController().signal);
  assert.equal(source.url, '/channel?resume=60&heartbeat=event');
  assert.deepEqual(source.init, { withCredentials: true, headers: { a: 'b' } });
  source.tell('open');
  t.mock.timers.tick(1_000);
  source.tell('add', { data: '{}', lastEventId: '1' });
  assert.deepEqual(told, ['heard', 'comment', 'heard', ['add', '{}', '1']]);
  source.tell('error');
  await assert.rejects(broken, { code: 'unreachable' });
  assert.ok(source.isClosed);
  const controller = new AbortController();
  const ended = open(controller.signal);
  source.tell('open');
  controller.abort();
  await ended;
  assert.ok(source.isClosed);
  t.mock.timers.tick(1_000);
  assert.equal(told.length, 5);
});
