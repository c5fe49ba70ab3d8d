import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { PeerError } from '../client/peererror.js';
import { signalOf } from '../client/signal.js';
import { switchboardOf } from '../client/switchboard.js';

// A call rings for minutes.
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

const SDP = 'v=0';
const offer = (pc, more) => ({ pc, description: { type: 'offer', sdp: SDP }, ...more });

function start() {
  const sent = [];
  let take;
  const broker = {
    intercept(interceptor) {
      take = interceptor;
    },
    send: async (target, message) => void sent.push([target, message]),
  };
  const board = switchboardOf(broker);
  assert.equal(switchboardOf(broker), board);
  const say = (message, origin = 'ada', target = 'bob') => take({ origin, target, message: JSON.parse(JSON.stringify(message)) });
  return { board, sent, say };
}

test('what is no signal is the application’s', () => {
  const strange = { toString: 1 };
  for (const message of [
    null, 1, 'offer', [], {}, { offer: '5 gold' }, { offer: {} }, { answer: 42 }, { answer: strange }, { candidate: 'Ada' }, { candidate: null },
    { pc: '' }, { pc: 1 }, { pc: strange }, { pc: 'a b' }, { pc: 'a'.repeat(65) }, { pc: 'a', round: -1 }, { pc: 'a', exchange: '1' },
    { pc: 'a', description: { type: 'rollback', sdp: SDP } }, { pc: 'a', description: { type: 'offer', sdp: strange } },
    { pc: 'a', candidates: {} }, { pc: 'a', candidates: Array(101).fill({}) },
    { pc: 'a' }, { pc: 'Dell', address: 'here', next: 'one' }, offer('a', { description: { type: 'offer', sdp: SDP.padEnd(262_145) } }),
    { pc: 'a', candidates: [{ candidate: 'x'.repeat(1_024) }] }, { candidate: { candidate: 'x'.repeat(1_024) } }, { offer: SDP.padEnd(262_145) },
    { pc: 'a', bye: strange }, { pc: 'a', bye: 'left', why: strange }, { pc: 'a', address: strange },
  ]) assert.equal(signalOf(message), null, JSON.stringify(message));
  const description = { type: 'offer', sdp: SDP };
  assert.deepEqual(signalOf({ offer: SDP }), { description });
  assert.deepEqual(signalOf({ offer: description }), { description });
  assert.deepEqual(signalOf({ answer: SDP }), { description: { type: 'answer', sdp: SDP } });
  assert.deepEqual(signalOf({ candidate: { candidate: '' } }), { candidates: [{ candidate: '' }] });
  const most = { pc: 'a', description: { type: 'offer', sdp: SDP.padEnd(262_144) }, candidates: [{ candidate: 'x'.repeat(1_024 - 16) }] };
  for (const signal of [offer('a'), most, { pc: 'a'.repeat(64), candidates: Array(100).fill({}) }, { pc: 'a', bye: 'left', why: 'late', address: 'x', round: 1 }]) {
    assert.equal(signalOf(signal), signal);
  }
});

test('a call goes to the latest listener that does not leave it to the one before', () => {
  const { board, say } = start();
  const rung = [];
  assert.equal(say(offer('a')), false);
  board.answer(({ call }) => rung.push(['first', call]), nothing);
  const stop = board.answer(({ call }) => rung.push(['second', call]) && call !== 'yours', nothing);
  assert.equal(say(offer('b', { call: 'yours' })), true);
  assert.equal(say(offer('c', { call: 'mine' })), true);
  stop();
  stop();
  assert.equal(say(offer('d', { call: 'mine' })), true);
  assert.deepEqual(rung, [['second', 'yours'], ['first', 'yours'], ['second', 'mine'], ['first', 'mine']]);
});

test('a listener that answers from now on is not called for the call that rings', () => {
  const { board, say } = start();
  let rung = 0;
  board.answer(() => {
    board.answer(() => false, nothing);
    return rung++ > 5;
  }, nothing);
  say(offer('a'));
  assert.equal(rung, 1);
});

test('a stranger cannot make much wait for a call that rings', () => {
  const { board, sent, say } = start();
  let made;
  let ringing;
  board.answer((call) => {
    ringing ??= call;
  }, (caller) => {
    made = caller;
  });
  say(offer('0'));
  for (let i = 0; i < 10; i++) say({ pc: '0', candidates: Array(30).fill({ candidate: `${i}` }) });
  for (let i = 1; i < 70; i++) say(offer(`${i}`), `origin ${i}`);
  assert.equal(sent.filter(([, { bye }]) => bye === 'busy').length, 6);
  ringing.accept();
  assert.equal(made.candidates.length, 100);
  assert.equal(made.offer.pc, '0');
  say(offer('71'), 'origin 71');
  assert.equal(sent.length, 6);
});

test('one origin cannot make the line busy for the others', () => {
  const { board, sent, say } = start();
  const calls = [];
  board.answer((call) => void calls.push(call), nothing);
  for (let i = 0; i < 6; i++) say(offer(`${i}`));
  assert.deepEqual(sent.map(([to, { pc, bye }]) => [to, pc, bye]), [['ada', '4', 'busy'], ['ada', '5', 'busy']]);
  say(offer('6'), 'cyd');
  calls[0].decline();
  say(offer('7'));
  assert.deepEqual(calls.map(({ from }) => from), ['ada', 'ada', 'ada', 'ada', 'cyd', 'ada']);
});

test('a call rings no longer than its caller waits, nor than five minutes', () => {
  for (const [answerWithin, milliseconds] of [[20_000, 20_000], [undefined, 300_000], ['soon', 300_000], [1e9, 300_000]]) {
    const { board, say } = start();
    let ringing;
    board.answer((call) => {
      ringing = call;
    }, nothing);
    say(offer('a', { answerWithin }));
    mock.timers.tick(milliseconds - 1);
    assert.equal(ringing.signal.aborted, false);
    mock.timers.tick(1);
    assert.equal(ringing.signal.aborted, true);
    assert.throws(() => ringing.accept(), { code: 'left' });
  }
});

test('a call between two of the own addresses has two ends', () => {
  const { board, say } = start();
  const heard = [];
  const end = (own) => ({
    key: 'a',
    isFrom: (from) => from !== own,
    receive: (signal, from) => heard.push(`${own} from ${from}`),
    crosses: () => false,
  });
  const hangUp = board.connect(end('ada'));
  board.answer(() => board.connect(end('bob')), nothing);
  say(offer('a'), 'ada', 'bob');
  say({ pc: 'a', candidates: [] }, 'bob', 'ada');
  say({ pc: 'a', candidates: [] }, 'ada', 'bob');
  hangUp();
  say({ pc: 'a', candidates: [] }, 'ada', 'bob');
  assert.deepEqual(heard, ['ada from bob', 'bob from ada', 'bob from ada']);
});

test('a call that is over can no longer be accepted, and to decline it does nothing', () => {
  const { board, sent, say } = start();
  const calls = [];
  board.answer((call) => void calls.push(call), nothing);
  say(offer('a'));
  say({ pc: 'a', bye: 'left' });
  assert.ok(calls[0].signal.aborted);
  assert.throws(() => calls[0].accept(), { code: 'left' });
  calls[0].decline();
  assert.deepEqual(sent, []);
  say(offer('b'));
  calls[1].decline('Not now.');
  calls[1].decline('Never.');
  assert.deepEqual(sent, [['ada', { pc: 'b', bye: 'declined', why: 'Not now.' }]]);
});

test('a listener that throws, or rejects, takes no place among the calls that ring', async () => {
  const { board, sent, say } = start();
  const answers = [() => {
    throw new Error('in it');
  }];
  board.answer(() => answers.at(-1)(), nothing);
  for (let i = 0; i < 70; i++) assert.throws(() => say(offer(`${i}`)), { message: 'in it' });
  assert.deepEqual(sent, []);
  answers.push(() => Promise.reject(new PeerError('left', 'the caller')));
  say(offer('gone'));
  await new Promise((resolve) => setImmediate(resolve));
});

test('nobody can pass for a peer of the seed, whose conversation has no id', () => {
  const { board, say } = start();
  const heard = [];
  board.answer(() => true, nothing);
  board.connect({ key: 'ada bob', isFrom: () => true, receive: (signal, from) => heard.push(from), crosses: () => false });
  say({ pc: 'ada bob', bye: 'left' }, 'mallory');
  say({ candidate: { candidate: 'candidate:1' } }, 'mallory');
  say({ candidate: { candidate: 'candidate:1' } });
  assert.deepEqual(heard, ['ada']);
});

test('signals go to their conversation, a crossing call to the one that it crosses, and those of one that is over nowhere', () => {
  const { board, say } = start();
  const heard = [];
  const end = board.connect({ key: 'a', isFrom: () => true, receive: ({ pc }) => heard.push(pc), crosses: ({ pc }, from, to) => heard.push(`${pc} from ${from} to ${to}`) });
  assert.equal(say({ pc: 'a', candidates: [] }), true);
  assert.equal(say(offer('b')), true);
  assert.deepEqual(heard, ['a', 'b from ada to bob']);
  end();
  assert.equal(say({ pc: 'a', candidates: [] }), false);
  board.answer(() => assert.fail('rung'), nothing);
  assert.equal(say({ pc: 'a', candidates: [] }), true);
  assert.equal(say(offer('a', { round: 1 })), true);
  assert.equal(say(offer('a', { exchange: 1 })), true);
  assert.equal(say({ pc: 'a' }), false);
});

function nothing() {}
