import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Broker } from '../../client/broker.js';
import WebSocket from 'ws';
import { webSocket } from '../../client/websocket.js';
import { random } from '../tools/model.js';
import { startProxy, startRealBroker, withoutJar } from '../tools/realbroker.js';
import { until } from '../tools/waiting.js';

/** The steps of each script: 40 unless PEERBROKER_STEPS says otherwise (1,000 take a few minutes). */
const STEPS = Number(process.env.PEERBROKER_STEPS ?? 40);
const options = { skip: withoutJar, timeout: 60_000 + STEPS * 1_000 };
const FILTERS = ['', 'a', 'a,!b', 'b'];

const text = (sessions) => JSON.stringify(sessions.map(({ sid, tags, metadata }) => [sid, [...tags].sort(), metadata]).sort());

async function listed(broker, filter) {
  const sessions = [];
  for await (const session of broker.list(filter, { limit: 3 })) sessions.push(session);
  return sessions;
}

const wires = { 'a stream': undefined, 'a WebSocket': webSocket(WebSocket) };

for (const [seed, wire] of [[1, 'a stream'], [2, 'a stream'], [1, 'a WebSocket'], [2, 'a WebSocket']]) {
  const transport = wires[wire];
  test(`Watches show what lists do, through cuts, silence, lost answers and new starts (seed ${seed}), over ${wire}`, options, async (t) => {
    const real = await startRealBroker('--heartbeat', '500ms');
    t.after(() => real.stop('SIGKILL'));
    const proxy = await startProxy(real.port);
    t.after(proxy.close);
    const delay = () => 50;
    const [ada, bob] = [new Broker(real.url, { delay, transport }), new Broker(proxy.url, { delay, transport })];
    t.after(() => Promise.all([ada.close(), bob.close()]));
    const rand = random(seed);
    const one = (values) => values[Math.floor(rand() * values.length)];
    const spec = () => ({ tags: ['a', 'b', 'c'].filter(() => rand() < 0.5), listed: rand() < 0.8, metadata: Math.floor(rand() * 1_000) });
    const watches = FILTERS.map((filter) => [filter, bob.watch(filter)]);
    const iterated = new Map(); // what a reader of the changes knows
    const reading = (async () => {
      for await (const { type, session } of watches[0][1]) {
        if (type === 'remove') iterated.delete(session.sid);
        else if (session) iterated.set(session.sid, session);
      }
    })();
    const own = await bob.host({ tags: ['a'], listed: true, metadata: 'Bob' });
    const sessions = [];
    const steps = {
      host: async () => sessions.push(await ada.host(spec())),
      update: async () => sessions.length && one(sessions).update(spec()),
      close: async () => sessions.length && sessions.splice(Math.floor(rand() * sessions.length), 1)[0].close(),
      rewatch: async () => {
        const watch = one(watches.slice(1));
        watch[1].close();
        watch[1] = bob.watch(watch[0]);
      },
      cut: async () => proxy.cut(),
      stall: async () => proxy.stall(),
      lose: async () => {
        let count = 0;
        proxy.losesAnswerOf = (data) => data.startsWith('POST /broker/channel/') && !count++;
      },
    };
    const script = ['host', 'host', 'host', 'update', 'update', 'update', 'close', 'close', 'rewatch', 'cut', 'stall', 'lose'];
    const counts = {};
    for (let step = 1; step <= STEPS; step++) {
      const name = one(script);
      counts[name] = (counts[name] ?? 0) + 1;
      await steps[name]();
      if (step % Math.ceil(STEPS / 3) === 0) {
        await real.stop('SIGKILL');
        await real.start();
        // Ada's sessions come again.
        await Promise.all([ada, bob].map((broker) => broker.ready()));
      }
      if (step % 5 && step < STEPS) continue;
      const end = Date.now() + 30_000;
      for (const [filter, watch] of watches) {
        for (;;) {
          const [shown, there] = [text(watch.snapshot), text(await listed(ada, filter).catch(() => []))];
          if (shown === there && (filter || text([...iterated.values()]) === there)) break;
          if (Date.now() > end) assert.equal(shown, there, `step ${step}, filter '${filter}'`);
          await pause(20);
        }
        for (const session of watch.snapshot) assert.equal(!!session.own, session.sid === own.sid);
      }
    }
    t.diagnostic(`${JSON.stringify(counts)}, ${sessions.length} sessions at the end`);
    watches[0][1].close();
    await reading;
  });
}

test('Forty lists that begin and end one after another leave room, though requests and answers are lost', options, async (t) => {
  const real = await startRealBroker();
  t.after(() => real.stop('SIGKILL'));
  const proxy = await startProxy(real.port);
  t.after(proxy.close);
  let asked = 0; // how often the end of a list was asked for
  const broker = new Broker(proxy.url, {
    delay: () => 10,
    fetch: (url, init) => {
      asked += url.endsWith('/unwatch');
      return fetch(url, init);
    },
  });
  t.after(() => broker.close());
  await broker.ready();
  const rand = random(3);
  const lost = { losesRequestOf: 0, losesAnswerOf: 0 };
  for (const [how] of Object.entries(lost)) {
    proxy[how] = (data) => /^POST .broker.channel.[^ ]*watch/.test(data) && rand() < 0.25 && !!++lost[how];
  }
  for (let lists = 0; lists < 40; lists += 8) {
    const watches = Array.from({ length: 8 }, (_, i) => broker.watch(`tag${lists + i}`));
    await Promise.all(watches.map(({ ready }) => ready));
    const before = asked;
    watches.forEach((watch) => watch.close());
    await until(() => asked >= before + 8);
  }
  t.diagnostic(JSON.stringify(lost));
  assert.ok(lost.losesRequestOf > 3 && lost.losesAnswerOf > 3, JSON.stringify(lost));
});
