import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../client/broker.js';
import { below } from '../client/requests.js';

/** Has the global scope these members for the time of the test. */
function globals(t, members) {
  Object.assign(globalThis, members);
  t.after(() => Object.keys(members).forEach((name) => delete globalThis[name]));
}

const places = (url) => ['/channel/a/ping', '/list?filter=x%3F'].map(below(url));

test('a path is below the URL, and the query of that stays with each request', () => {
  for (const url of ['http://h/b', 'http://h/b/', 'http://h/b//', 'http://h/b#part', 'http://h/b?', new URL('http://h/b')]) {
    assert.deepEqual(places(url), ['http://h/b/channel/a/ping', 'http://h/b/list?filter=x%3F'], url);
  }
  for (const url of ['https://h/?tenant=1#part', 'https://h?tenant=1']) {
    assert.deepEqual(places(url), ['https://h/channel/a/ping?tenant=1', 'https://h/list?tenant=1&filter=x%3F'], url);
  }
});

test('a page resolves its URLs against its document, once', (t) => {
  globals(t, { document: { baseURI: 'https://h/app/page?here' } });
  const relative = below('signal/?tenant=1');
  document.baseURI = 'https://h/app/page/that/has/moved';
  assert.equal(relative('/channel'), 'https://h/app/signal/channel?tenant=1');
  assert.equal(below('//other/b')('/channel'), 'https://other/b/channel');
  document.baseURI = 'file:///page.html';
  assert.throws(() => new Broker('/broker'), { name: 'TypeError', message: /https:/ });
});

test('a worker resolves its URLs against its script', (t) => {
  globals(t, { WorkerGlobalScope: class {}, location: { href: 'https://h/app/worker.js' } });
  assert.equal(below('../b')('/channel'), 'https://h/b/channel');
});

test('a server that renders a page makes a Broker, whatever its path would be relative to', () => {
  assert.equal(new Broker('/broker').state, 'idle');
  assert.equal(below('/broker/?tenant=1')('/list?limit=1'), '/broker/list?tenant=1&limit=1');
});

test('a URL that cannot be one of a broker is refused at once, and its password is not repeated', () => {
  for (const url of ['ftp://h/b', 'ws://h/b', 'javascript:1', 'data:,', 'http://ada:secret@h/b', 'http://ada@h/b', 'http://[']) {
    assert.throws(() => new Broker(url), (error) => error instanceof TypeError && !/secret/.test(error.message), url);
  }
});
