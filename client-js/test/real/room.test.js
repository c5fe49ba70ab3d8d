import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage, usePages, without } from '../tools/browsers.js';
import { startProxy, startRealBroker, withoutJar } from '../tools/realbroker.js';
import { browsers, pages, setUp, wires } from '../tools/shared.js';

const options = { skip: withoutJar || without('chromium'), timeout: 120_000 };
const names = ['Ada', 'Bob', 'Cyd', 'Dan'];

setUp(['chromium'], null);

const come = async (name) => ({ name, ...(await newPage(browsers.chromium, pages.url)) });

/** Four pages in a room, Ada behind a proxy, each with video and a data channel to each. */
function withRoom(name, body) {
  for (const wire of Object.keys(wires)) withRoomOver(wire, name, body);
}

function withRoomOver(wire, name, body) {
  test(`${name}, over ${wire}`, options, async (t) => {
    const broker = await startRealBroker('--allowed-origins', '*', '--heartbeat', '1s');
    t.after(() => broker.stop('SIGKILL'));
    const proxy = await startProxy(broker.port);
    t.after(proxy.close);
    const members = {};
    await usePages(t, members, async () => {
      for (const one of names) members[one] = await come(one);
      const start = Date.now();
      await Promise.all(Object.values(members).map(({ name: one, run }) => run('enter', one === 'Ada' ? proxy.url : broker.url, one, wires[wire])));
      await meet(members, names);
      t.diagnostic(`all have met, and see each other, after ${Date.now() - start} ms`);
      await body({ t, members, broker, proxy });
    });
  });
}

/** Waits until these members, and nobody else, have each other, and hear and see each other. */
async function meet(members, present) {
  const of = (action, ...values) => Promise.all(present.map((one) => members[one].run(action, present.filter((other) => other !== one), ...values)));
  await of('meets');
  await of('greets');
  await of('seesMembers');
}

withRoom('One leaves by closing the tab, and the others notice', async ({ t, members }) => {
  const start = Date.now();
  await members.Dan.page.close({ runBeforeUnload: false });
  const rest = names.slice(0, 3);
  await Promise.all(rest.map((one) => members[one].run('meets', rest.filter((other) => other !== one))));
  t.diagnostic(`noticed after ${Date.now() - start} ms`);
  await meet(members, rest);
  for (const one of rest) assert.deepEqual(await members[one].run('left'), ['Dan']);
});

withRoom('The connection of one to the broker breaks, and nobody leaves; one who comes meanwhile meets all', async ({ members, broker, proxy }) => {
  proxy.isUp = false;
  proxy.cut();
  await members.Ada.run('broken');
  await meet(members, names);
  members.Eve = await come('Eve');
  await members.Eve.run('enter', broker.url, 'Eve');
  await members.Eve.run('meets', ['Bob', 'Cyd', 'Dan'], true);
  proxy.isUp = true;
  await meet(members, [...names, 'Eve']);
  for (const one of names) assert.deepEqual(await members[one].run('left'), []);
});

withRoom('After a new start of the broker all are recognised, nobody leaves, and one who comes meets all', async ({ t, members, broker }) => {
  await Promise.all(names.map((one) => members[one].run('keepConnections')));
  await broker.stop('SIGKILL');
  await Promise.all(names.map((one) => members[one].run('broken')));
  await meet(members, names);
  await broker.start();
  const start = Date.now();
  await Promise.all(names.map((one) => members[one].run('openAfter', start)));
  members.Eve = await come('Eve');
  await members.Eve.run('enter', broker.url, 'Eve');
  await meet(members, [...names, 'Eve']);
  t.diagnostic(`all had met Eve ${Date.now() - start} ms after the broker was back`);
  for (const one of names) {
    assert.deepEqual(await members[one].run('left'), [], one);
    assert.equal(await members[one].run('keptConnections'), true, one);
  }
});

for (const check of ['drops', 'refuses']) {
  test(`A check of the metadata that ${check} the fingerprint ends the room, which says what to do`, options, async (t) => {
    const broker = await startRealBroker('--allowed-origins', '*');
    t.after(() => broker.stop('SIGKILL'));
    const ada = await come('Ada');
    await usePages(t, [ada], async () => {
      assert.match(await ada.run('endOfRoom', broker.url, check), /^invalid_request: .*check\.metadata.*fingerprint/);
    });
  });
}
