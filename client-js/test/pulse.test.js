import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Pulse } from '../client/pulse.js';
import { settle } from './tools/waiting.js';

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

/** A connection over which bytes come as the test says. */
function start() {
  const connection = {
    connectionState: 'connected',
    stats: [{ type: 'candidate-pair', bytesReceived: 0 }, { type: 'data-channel', bytesReceived: 7 }, { type: 'candidate-pair' }],
    getStats: async () => new Map(connection.stats.map((one, id) => [id, one])),
  };
  let deaths = 0;
  const pulse = new Pulse(connection, () => deaths++);
  return {
    connection,
    pulse,
    comes: (bytes) => (connection.stats[0].bytesReceived += bytes),
    async pass(seconds) {
      for (let passed = 0; passed < seconds; passed++) {
        mock.timers.tick(1_000);
        await settle();
      }
    },
    async watch(isPolite = false) {
      pulse.watch(isPolite);
      await settle();
    },
    deaths: () => deaths,
  };
}

test('a path over which nothing comes is dead after 15 seconds, for the polite side after 20', async () => {
  for (const [isPolite, seconds] of [[false, 15], [true, 20]]) {
    const { watch, pass, deaths } = start();
    await watch(isPolite);
    await pass(seconds - 1);
    assert.equal(deaths(), 0);
    await pass(1);
    assert.equal(deaths(), 1);
    await pass(60);
    assert.equal(deaths(), 1);
  }
});

test('a packet is a sign of life, although what came before was more', async () => {
  const { watch, pass, comes, connection, deaths } = start();
  comes(1e9);
  await watch();
  await pass(4);
  comes(40);
  await pass(60);
  assert.equal(deaths(), 0);
  await watch();
  await pass(4);
  connection.stats = [{ type: 'candidate-pair', bytesReceived: 0 }]; // the other pairs are given up
  await pass(2);
  connection.stats[0].bytesReceived = 40;
  await pass(60);
  assert.equal(deaths(), 0);
});

test('a message is a sign of life where there are no statistics', async () => {
  const { watch, pass, pulse, connection, deaths } = start();
  connection.getStats = () => Promise.reject(new Error('None.'));
  await watch();
  await pass(14);
  pulse.stop();
  await pass(60);
  assert.equal(deaths(), 0);
  await watch();
  await pass(15);
  assert.equal(deaths(), 1);
});

test('while ICE looks for a path itself, silence does not count', async () => {
  const { watch, pass, connection, deaths } = start();
  await watch();
  connection.connectionState = 'disconnected';
  await pass(60);
  assert.equal(deaths(), 0);
  connection.connectionState = 'connected';
  await pass(14);
  assert.equal(deaths(), 0);
  await pass(1);
  assert.equal(deaths(), 1);
});

test('another watch takes the place of the one before', async () => {
  const { watch, pass, pulse, deaths } = start();
  await watch();
  await pass(14);
  await watch();
  await pass(14);
  assert.equal(deaths(), 0);
  pulse.stop();
  await pass(60);
  assert.equal(deaths(), 0);
});
