import { after, before } from 'node:test';
import { openBrowser, startPages, without } from './browsers.js';
import { startRealBroker, withoutJar } from './realbroker.js';

/** What the tests of one file share, once {@link setUp} has been called there: a broker, and pages that have it as `/broker`. */
export let real;
export let pages;

/** The wires over which a test runs, one after the other: what a broker takes as options, as JSON. */
export const wires = { 'a stream': {}, 'a WebSocket': { transport: 'websocket' } };

/** The browsers that are there, by their names. */
export const browsers = {};

/**
 * Starts what is shared before the first test of the file, and ends it after the last.
 *
 * @param names of the browsers
 * @param args of the broker; null where each test has its own
 */
export function setUp(names = [], args = []) {
  before(async () => {
    if (withoutJar) return;
    if (args) real = await startRealBroker(...args);
    pages = await startPages(real?.port);
    for (const name of names) if (!without(name)) browsers[name] = await openBrowser(name);
  });

  after(async () => {
    for (const browser of Object.values(browsers)) await browser.close();
    pages?.close();
    await real?.stop('SIGKILL');
  });
}
