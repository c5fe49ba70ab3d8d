import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import puppeteer from 'puppeteer-core';
import { missing } from './missing.js';
import { end, listen, passOn, passUpgradesOn } from './servers.js';

const root = new URL('../../', import.meta.url).pathname;

const browsers = {
  chromium: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    launch: {
      // Hidden pages are slowed down as they are for people.
      ignoreDefaultArgs: ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'],
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
  return !existsSync(executablePath) && missing(`There is no ${executablePath}; ${name.toUpperCase()} names another.`);
}

export async function openBrowser(name, ...args) {
  const { executablePath, launch } = browsers[name];
  const userDataDir = await mkdtemp(join(tmpdir(), `peerbroker-${name}-`));
  const browser = await puppeteer.launch({ executablePath, userDataDir, timeout: 60_000, protocolTimeout: 60_000, ...launch, args: [...(launch.args ?? []), ...args] });
  return {
    newPage: (options) => browser.newPage(options),
    async close() {
      await browser.close();
      await rm(userDataDir, { recursive: true, force: true });
    },
  };
}

/** A page of this browser, whose functions are those of test/real/page.js or another module. */
export async function newPage(browser, url, type = 'window', module = 'page') {
  const page = await browser.newPage({ type });
  await page.goto(url);
  return {
    page,
    run: (action, ...values) => page.evaluate(async (from, which, all) => {
      const functions = await import(`/test/real/${from}.js`);
      return functions[which](...all);
    }, module, action, values),
  };
}

/**
 * Runs the body of a test with these pages, by their names or in a row: says what they have noted where it fails, and closes them.
 */
export async function usePages(t, pages, body) {
  const open = () => Object.entries(pages).filter(([, { page }]) => !page.isClosed());
  try {
    return await body();
  } catch (error) {
    for (const [name, { run }] of open()) t.diagnostic(`${name}: ${JSON.stringify(await run('log').catch(String))}`);
    throw error;
  } finally {
    for (const [, { page }] of open()) await page.close();
  }
}

/**
 * Serves an empty page at `/`, with this policy, which can import the package's files from there; and the broker at this port as
 * `/broker`.
 */
export async function startPages(port, policy) {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    if (path.startsWith('/broker/')) return passOn(request, response, port);
    if (path === '/') {
      if (policy) response.setHeader('Content-Security-Policy', policy);
      return response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>test</title>');
    }
    response.setHeader('Content-Type', 'text/javascript');
    createReadStream(join(root, path)).on('error', () => response.writeHead(404).end()).pipe(response);
  });
  passUpgradesOn(server, port);
  return { url: `http://localhost:${await listen(server)}/`, close: () => end(server) };
}
