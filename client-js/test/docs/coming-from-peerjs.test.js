import assert from 'node:assert/strict';
import { test } from 'node:test';
import { application, docBlock, pages, setUp, skip, workspace } from './tools.js';

const PAGE = 'docs/coming-from-peerjs.md';

setUp();

test('Their program is right by their declarations', { timeout: 60_000 }, async () => {
  const { code } = docBlock(PAGE, 'theirs');
  const typed = code
    .replace("import { Peer } from 'peerjs';", "import { Peer, type DataConnection, type MediaConnection } from 'peerjs';")
    .replace('talk(connection)', 'talk(connection: DataConnection)')
    .replace('watch(call) {', 'watch(call: MediaConnection) {')
    .replace(/const \[theirs, said\].*/, 'declare const theirs: HTMLVideoElement, said: HTMLElement;');
  await workspace.check('theirs.ts', typed);
  await assert.rejects(workspace.check('theirs.ts', typed.replace("'stream'", "'track'")), /not assignable/);
});

test('Our program: the page with the address of another calls it', { skip, timeout: 60_000 }, async (t) => {
  const script = await workspace.bundle(docBlock(PAGE, 'ours').code);
  const url = application.serve('/ours', '<video id="theirs" autoplay muted></video><pre id="said"></pre>', script);
  const ada = await pages.open(t, url);
  await ada.until(() => document.getElementById('said').textContent.startsWith('Send a friend this address: http'));
  const [address] = /http\S+/.exec(await ada.evaluate(() => document.getElementById('said').textContent));
  const bob = await pages.open(t, address);
  for (const page of [ada, bob]) {
    await page.until(() => document.getElementById('said').textContent.endsWith('Hello\n'));
    await page.until(() => document.getElementById('theirs').videoWidth);
  }
});
