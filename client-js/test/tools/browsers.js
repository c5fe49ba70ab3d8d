import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import puppeteer from 'puppeteer-core';

const root = new URL('../../', import.meta.url).pathname;

const browsers = {
  chromium: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    launch: {
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--allow-loopback-in-peer-connection',
        '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    },
  },
  firefox: {
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    launch: {
      browser: 'firefox',
      extraPrefsFirefox: {
        'media.peerconnection.ice.loopback': true,
        // Without this, addresses are names that only multicast DNS resolves.
        'media.peerconnection.ice.obfuscate_host_addresses': false,
      },
    },
  },
};

/** Why a browser's tests are left out; false where they run. */
export function without(name) {
  const { executablePath } = browsers[name];
  return !existsSync(executablePath) && `There is no ${executablePath}; ${name.toUpperCase()} names another.`;
}

export async function openBrowser(name) {
  const { executablePath, launch } = browsers[name];
  const userDataDir = await mkdtemp(join(tmpdir(), `peerbroker-${name}-`));
  const browser = await puppeteer.launch({ executablePath, userDataDir, timeout: 60_000, protocolTimeout: 60_000, ...launch });
  return {
    newPage: (options) => browser.newPage(options),
    async close() {
      await browser.close();
      await rm(userDataDir, { recursive: true, force: true });
    },
  };
}

/** A page of this browser, whose functions are those of test/real/page.js. */
export async function newPage(browser, url) {
  const page = await browser.newPage({ type: 'window' });
  await page.goto(url);
  return {
    page,
    run: (action, ...values) => page.evaluate(async (which, all) => {
      const functions = await import('/test/real/page.js');
      return functions[which](...all);
    }, action, values),
  };
}

/** Serves an empty page at `/`, which can import the package's files from there. */
export async function startPages() {
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
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}
