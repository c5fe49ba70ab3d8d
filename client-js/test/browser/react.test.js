import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { openChromium, withoutChromium } from '../tools/chromium.js';

const options = { skip: withoutChromium, timeout: 60_000 };
let chromium;

/** A page that renders `View` in React, with a broker whose streams and requests the test answers. */
before(async () => {
  if (withoutChromium) return;
  chromium = await openChromium();
  const { outputFiles: [{ text }] } = await build({
    stdin: {
      contents: `
        import { StrictMode, createElement, useEffect } from 'react';
        import { createRoot } from 'react-dom/client';
        import { useBrokerState, useWatch } from '../../client/react.js';
        import { scripted } from '../tools/scripted.js';
        import { until } from '../tools/waiting.js';

        globalThis.setImmediate = (task) => setTimeout(task);
        const ends = [];
        Object.assign(globalThis, {
          until,
          scripted: (options) => scripted({ after: (end) => ends.push(end) }, options),
          People: ({ broker }) => createElement('p', {}, useWatch(broker, 'chat').map(({ metadata }) => metadata).join()),
          State({ broker }) {
            const state = useBrokerState(broker);
            useEffect(() => {
              document.body.dataset.isMounted = true; // after the effect of the hook
            });
            return createElement('p', {}, state);
          },
          show(View, props) {
            const root = createRoot(document.body.appendChild(document.createElement('div')));
            root.render(createElement(StrictMode, {}, createElement(View, props)));
            ends.push(() => root.unmount());
          },
          shows: (text) => until(() => document.querySelector('p')?.textContent === text, () => text + ', not ' + document.body.textContent),
          end() {
            for (const one of ends.splice(0).reverse()) one();
            document.body.replaceWith(document.createElement('body'));
          },
        });`,
      resolveDir: new URL('.', import.meta.url).pathname,
    },
    bundle: true, format: 'esm', target: 'es2022', write: false, define: { 'process.env.NODE_ENV': '"development"' },
  });
  await chromium.page.evaluate(async (script) => {
    await import(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
  }, text);
});

after(() => chromium?.close());

function inPage(name, body, expected) {
  test(name, options, async () => {
    try {
      assert.deepEqual(await chromium.page.evaluate(body), expected);
    } finally {
      await chromium.page.evaluate(() => globalThis.end());
    }
  });
}

inPage('useWatch comes back once the broker is opened again after a close, and after a refusal', async () => {
  const { broker, open, say, replace, to } = scripted();
  show(People, { broker });
  await until(() => broker.state === 'connecting');
  /** Answers the one request for the list, with one session. */
  const list = async (name) => {
    const asked = await to(/watch$/);
    const [{ body: { watch }, answer }] = asked;
    answer({});
    await say('add', { watch, sid: name, session: { tags: ['chat'], metadata: name } });
    await say('ready', { watch, count: 1 });
    await shows(name);
    return asked.length;
  };
  await open('a');
  const counts = [await list('Ada')];
  await broker.close();
  await shows('');
  broker.open();
  await open('b');
  counts.push(await list('Bob'));
  await replace('c');
  (await to(/watch$/))[0].refuse(403, 'denied');
  await shows('');
  await replace('d');
  counts.push(await list('Dan'));
  return counts;
}, [1, 1, 1]);

inPage('useBrokerState opens the broker, and does not hasten an attempt that waits for its time', async () => {
  const { broker, open, streams } = scripted({ delay: () => 60_000 });
  show(State, { broker });
  await shows('connecting');
  await open('a');
  await shows('open');
  end();
  broker.open();
  await open('b');
  streams.at(-1).end();
  const attempts = streams.length;
  show(State, { broker });
  await until(() => document.body.dataset.isMounted);
  await shows('away');
  const result = streams.length - attempts;
  await broker.close();
  return result;
}, 0);
