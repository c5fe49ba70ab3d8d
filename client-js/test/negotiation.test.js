import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Negotiation } from '../client/negotiation.js';
import { ModelConnection, random } from './tools/model.js';

/** Two sides, whose messages take the way that `fault(message)` tells: a list of delays, one for each copy. */
function pairOf(seed, fault) {
  const rand = random(seed);
  const sides = ['a', 'b'].map((name) => ({ connection: new ModelConnection(name, rand), failures: [], searches: 0, sent: [] }));
  sides.forEach((side, index) => {
    const isPolite = () => index === 0;
    side.negotiation = new Negotiation(side.connection, {
      isPolite,
      send: (message) => {
        side.sent.push(message);
        const copy = JSON.stringify(message);
        for (const delay of fault(rand, message)) {
          setTimeout(() => sides[1 - index].negotiation.receive(JSON.parse(copy)), delay);
        }
      },
      searched: () => side.searches++,
      failed: (error) => side.failures.push(error),
    });
    side.connection.addEventListener('negotiationneeded', () => {
      if (side.isStarted) side.negotiation.offer();
    });
    side.start = () => {
      side.isStarted = true;
      side.negotiation.offer();
    };
  });
  return { sides, rand };
}

async function pass(milliseconds, step = 4) {
  for (let passed = 0; passed < milliseconds; passed += step) {
    mock.timers.tick(step);
    await new Promise(setImmediate);
  }
}

function agree({ sides: [a, b] }, seed) {
  for (const side of [a, b]) {
    assert.deepEqual([...side.connection.errors, ...side.failures], [], `seed ${seed}`);
    assert.equal(side.connection.signalingState, 'stable', `seed ${seed}`);
    const missing = [...side.connection.sections].filter((section) => !side.connection.negotiated.has(section));
    assert.deepEqual(missing, [], `seed ${seed}`);
  }
  for (const [one, other] of [[a, b], [b, a]]) {
    const [said, heard] = [one.connection.local, other.connection.remote].map(({ current }) => current.sdp.replace(/a=setup:\w+/, ''));
    assert.equal(said, heard, `seed ${seed}`);
    const { ufrag } = JSON.parse(one.connection.local.current.sdp);
    const known = other.connection.candidates.filter((candidate) => candidate.startsWith(`${ufrag}:`));
    assert.deepEqual(new Set(known), new Set([1, 2, 3].map((port) => `${ufrag}:${port}`)), `seed ${seed}`);
  }
}

/** Both sides offer, add and restart at random times, mostly at the same. */
async function quarrel(seed, fault, settle) {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const pair = pairOf(seed, fault);
    const { sides, rand } = pair;
    for (const side of sides) {
      side.connection.sections.add(`${side.connection.name}-data`);
      setTimeout(side.start, rand() * 30);
      for (let more = 0; more < 3; more++) {
        setTimeout(() => side.connection.addTrack(`${side.connection.name}-${more}`), 40 + rand() * 300);
      }
      if (rand() < 0.5) setTimeout(() => side.negotiation.offer(true), 100 + rand() * 200);
    }
    await pass(1_000);
    await pass(1_000 + settle, 25);
    agree(pair, seed);
    for (const { negotiation } of sides) negotiation.close();
  } finally {
    mock.timers.reset();
  }
}

test('Both sides offer at the same time, in thousands of interleavings, and agree', { timeout: 300_000 }, async () => {
  let last = 0;
  const inOrder = (rand) => {
    last = Math.max(last + 0.01, rand() * 40);
    return [last];
  };
  for (let seed = 1; seed <= 2_000; seed++) {
    last = 0;
    await quarrel(seed, inOrder, 4_000);
  }
});

test('Messages that come twice, late, or before their predecessors do no harm', { timeout: 300_000 }, async () => {
  const disorder = (rand) => (rand() < 0.3 ? [rand() * 60, rand() * 200] : [rand() * 60]);
  for (let seed = 1; seed <= 1_000; seed++) await quarrel(seed, disorder, 6_000);
});

test('What is lost after the first exchange is said again', { timeout: 300_000 }, async () => {
  const loss = (rand, { exchange, description }) => (exchange && description && rand() < 0.3 ? [] : [rand() * 20]);
  for (let seed = 1; seed <= 150; seed++) await quarrel(seed, loss, 240_000);
});

test('A restart leaves the one before a second', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { sides: [one, other] } = pairOf(1, () => [5]);
    one.start();
    await pass(3_500, 10);
    const generation = ({ connection }) => JSON.parse(connection.local.current.sdp).generation;
    one.negotiation.offer(true);
    await pass(100);
    for (const { negotiation } of [one, other]) negotiation.offer(true);
    await pass(2_800);
    assert.deepEqual([generation(one), generation(other)], [2, 2]);
    await pass(400);
    assert.deepEqual([generation(one), generation(other)], [3, 3]);
    for (const { negotiation } of [one, other]) negotiation.close();
  } finally {
    mock.timers.reset();
  }
});

test('Where both restart at the same time, it is one restart', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { sides } = pairOf(1, () => [5]);
    sides[0].start();
    await pass(3_500, 10);
    for (const { negotiation } of sides) negotiation.offer(true);
    await pass(3_500, 10);
    assert.deepEqual(sides.map(({ connection }) => JSON.parse(connection.local.current.sdp).generation), [2, 2]);
    assert.deepEqual(sides.map(({ searches }) => searches), [2, 2]);
    for (const { negotiation } of sides) negotiation.close();
  } finally {
    mock.timers.reset();
  }
});

test('A restart that gave way is made again', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { sides: [polite, impolite] } = pairOf(1, () => [5]);
    polite.start();
    await pass(3_500, 10);
    const generation = ({ connection }) => JSON.parse(connection.local.current.sdp).generation;
    assert.equal(generation(polite), 1);
    impolite.negotiation.offer();
    polite.negotiation.offer(true);
    await pass(3_500, 10);
    assert.deepEqual([generation(polite), generation(impolite)], [2, 2]);
    for (const { negotiation } of [polite, impolite]) negotiation.close();
  } finally {
    mock.timers.reset();
  }
});

test('Candidates of one moment are sent together', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { sides: [one, other] } = pairOf(2, () => [1]);
    one.start();
    await pass(400);
    const batches = one.sent.filter(({ candidates }) => candidates);
    assert.ok(batches.length <= 3, `${batches.length} batches`);
    assert.deepEqual(batches.flatMap(({ candidates }) => candidates).at(-1), { candidate: '' });
    for (const { negotiation } of [one, other]) negotiation.close();
  } finally {
    mock.timers.reset();
  }
});
