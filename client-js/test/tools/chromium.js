import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import puppeteer from 'puppeteer-core';

const root = new URL('../../', import.meta.url).pathname;
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why a browser's tests are left out; false where they run. */
export const withoutChromium = !existsSync(executablePath) && `There is no ${executablePath}; CHROMIUM names another.`;

/** A browser, and a page that can import the package's files from `/`. */
export async function openChromium() {
  const userDataDir = await mkdtemp(join(tmpdir(), 'peerbroker-chromium-'));
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>test</title>');
      return;
    }
    response.setHeader('Content-Type', 'text/javascript');
    createReadStream(join(root, path)).on('error', () => response.writeHead(404).end()).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await puppeteer.launch({
    executablePath,
    userDataDir,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
  const page = await browser.newPage();
  await page.goto(`http://localhost:${server.address().port}/`);
  return {
    browser,
    page,
    async close() {
      await browser.close();
      server.close();
      await rm(userDataDir, { recursive: true, force: true });
    },
  };
}
