import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { newPage, usePages, without } from '../tools/browsers.js';
import { startProxy, startRealBroker, withoutJar } from '../tools/realbroker.js';
import { browsers, pages, real, setUp, wires } from '../tools/shared.js';
import { spread } from '../tools/times.js';

/** How often each fault happens: 3 times unless PEERBROKER_FAULTS says otherwise (20 takes about ten minutes). */
const times = Number(process.env.PEERBROKER_FAULTS ?? 3);
const options = { skip: withoutJar || without('chromium'), timeout: 40_000 + times * 40_000 };

const brokerArgs = ['--allowed-origins', '*', '--heartbeat', '1s'];

setUp(['chromium'], brokerArgs);

const both = (...promises) => Promise.all(promises);
const openPair = () => both(newPage(browsers.chromium, pages.url), newPage(browsers.chromium, pages.url));

/**
 * Ada is behind a proxy, Bob is not; a call between them is open, and both send over the broker all the time. `fault` is done
 * again and again, and resolves with the time from which the recovery counts.
 */
function underFault(name, fault) {
  for (const wire of Object.keys(wires)) underFaultOver(wire, name, fault);
}

function underFaultOver(wire, name, fault) {
  test(`${name}, over ${wire}`, options, async (t) => {
    const proxy = await startProxy(real.port);
    t.after(proxy.close);
    const [ada, bob] = await openPair();
    await usePages(t, { ada, bob }, async () => {
      const [adas, bobs] = await both(ada.run('open', proxy.url, 'Ada', wires[wire]), bob.run('open', real.url, 'Bob', wires[wire]));
      await both(ada.run('call', bobs), bob.run('opened'));
      await both(ada.run('isSame', true), ada.run('watch', 'test'));
      const recoveries = [];
      for (let time = 0; time < times; time++) {
        await both(ada.run('startSending', bobs), bob.run('startSending', adas));
        const since = await fault(proxy, { ada, bob });
        recoveries.push(await ada.run('openAfter', since));
        await both(ada.run('ping'), bob.run('ping'));
        const [fromAda, fromBob] = await both(ada.run('stopSending'), bob.run('stopSending'));
        assert.deepEqual(await both(ada.run('receivedAll', fromBob), bob.run('receivedAll', fromAda)), [true, true]);
        await ada.run('showsList', 'test');
      }
      assert.equal(await ada.run('isSame'), true);
      t.diagnostic(`open again after ${spread(recoveries)}`);
    });
  });
}

const silent = ({ ada }) => ada.run('broken');

underFault('The stream is cut', async (proxy) => {
  const since = Date.now();
  proxy.cut();
  return since;
});

underFault('The stream goes silent, while requests pass: noticed after 2.5 heartbeats', async (proxy, pair) => {
  const since = Date.now();
  proxy.stall();
  await silent(pair);
  const noticed = Date.now() - since;
  assert.ok(noticed > 1_500 && noticed < 10_000, `after ${noticed} ms`);
  return since;
});

underFault('Everything goes silent for a while', async (proxy, pair) => {
  proxy.isFlowing = false;
  await silent(pair);
  proxy.isFlowing = true;
  return Date.now();
});

underFault('No connection is accepted for two seconds', async (proxy) => {
  proxy.isUp = false;
  proxy.cut();
  await pause(2_000);
  proxy.isUp = true;
  return Date.now();
});

underFault('The stream is cut, and answers are lost', async (proxy) => {
  let lost = 0;
  proxy.losesAnswerOf = (data) => data.startsWith('POST /broker/send/') && lost++ < 3;
  await pause(1_000);
  assert.ok(lost >= 1, `${lost} answers were lost`);
  const since = Date.now();
  proxy.cut();
  return since;
});

test('The broker is killed and started again: calls go on, renegotiate meanwhile, and sessions come back', options, async (t) => {
  const own = await startRealBroker(...brokerArgs);
  t.after(() => own.stop('SIGKILL'));
  const [ada, bob] = await openPair();
  await usePages(t, { ada, bob }, async () => {
    let sids = await both(ada.run('open', own.url, 'Ada'), bob.run('open', own.url, 'Bob'));
    await both(ada.run('call', sids[1]), bob.run('opened'));
    await both(ada.run('isSame', true), ada.run('watch', 'test'));
    const recoveries = [];
    for (let time = 0; time < times; time++) {
      await own.stop('SIGKILL');
      await both(ada.run('broken'), bob.run('broken'));
      await bob.run('forgetTrack');
      await ada.run('addVideo', time % 2 ? 'blue' : 'green');
      await bob.run('sees', time % 2 ? [0, 0, 255] : [0, 128, 0]);
      const waiting = ada.run('sendOnce', sids[1]);
      await own.start();
      const since = Date.now();
      const moved = await both(ada.run('moved', sids[0]), bob.run('moved', sids[1]));
      recoveries.push(...moved.map(({ at }) => at - since));
      sids = moved.map(({ sid }) => sid);
      assert.match(await waiting, /^(unknown_target|unanswered)$/);
      await both(ada.run('ping'), bob.run('ping'));
      assert.equal(await ada.run('showsList', 'test'), 2);
      assert.deepEqual(await ada.run('list'), [...sids].sort());
      await both(ada.run('startSending', sids[1]), bob.run('startSending', sids[0]));
      await pause(500);
      const [fromAda, fromBob] = await both(ada.run('stopSending'), bob.run('stopSending'));
      assert.deepEqual(await both(ada.run('receivedAll', fromBob), bob.run('receivedAll', fromAda)), [true, true]);
    }
    assert.equal(await ada.run('isSame'), true);
    t.diagnostic(`sessions were back ${spread(recoveries)} after the broker`);
  });
});
