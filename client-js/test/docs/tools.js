import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { build } from 'esbuild';
import { Broker } from '../../client/broker.js';
import { openBrowser, without } from '../tools/browsers.js';
import { startRealBroker, withoutJar } from '../tools/realbroker.js';
import { end, listen, passOn, passUpgradesOn } from '../tools/servers.js';

/** Why the tests with a browser and a broker are left out; false where they run. */
export const skip = withoutJar || without('chromium');

/** What the tests of one file share, once {@link setUp} has been called there. */
export let real;
export let application;
export let pages;
export let workspace;

const packageRoot = new URL('../../', import.meta.url).pathname;

export function setUp() {
  before(async () => {
    workspace = await openWorkspace();
    if (skip) return;
    real = await startRealBroker();
    application = await startApplication(real.port);
    pages = await openPages();
  });

  after(async () => {
    await pages?.close();
    application?.close();
    await real?.stop('SIGKILL');
    await workspace.close();
  });
}

/** The sessions that a broker lists. */
export async function listed(filter, url = real.url) {
  const sessions = [];
  for await (const session of new Broker(url).list(filter)) sessions.push(session);
  return sessions;
}

/**
 * The text of a fenced block of the project's documents. As in the tests in Java, its name stands in a comment right above it:
 * `<!-- tested: name -->`. That every block is named by some test, is a test in Java.
 */
export function docBlock(page, name) {
  const text = readFileSync(join(packageRoot, '..', page), 'utf8');
  const parts = text.split(`<!-- tested: ${name} -->\n`);
  const [, language, code] = /^```(\w+)\n([^]*?)^```$/m.exec(parts[1] ?? '') ?? [];
  if (parts.length !== 2 || !code) throw new Error(`${page} has no block, or several, with the name ${name}.`);
  return { language, code };
}

/** A folder in which this package is installed, as are those that its tests use. */
async function openWorkspace() {
  const folder = await mkdtemp(join(tmpdir(), 'peerbroker-docs-'));
  const installed = join(folder, 'node_modules');
  await mkdir(join(installed, '@peerbroker'), { recursive: true });
  await symlink(packageRoot, join(installed, '@peerbroker/client'));
  await mkdir(join(installed, '@types'));
  for (const name of ['@types/react', 'peerjs', 'react', 'react-dom', 'werift', 'ws']) {
    await symlink(join(packageRoot, 'node_modules', name), join(installed, name));
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');

  return {
    folder,
    write: (name, code) => writeFile(join(folder, name), code),
    close: () => rm(folder, { recursive: true, force: true }),

    /** A module as a page loads it, after a bundler. `modules` stand in for packages that are not installed here. */
    async bundle(code, loader = 'js', modules = {}) {
      for (const [name, source] of Object.entries(modules)) {
        await mkdir(join(installed, name), { recursive: true });
        await writeFile(join(installed, name, 'index.js'), source);
      }
      const { outputFiles } = await build({
        stdin: { contents: code, resolveDir: folder, loader },
        bundle: true, format: 'esm', target: 'es2022', jsx: 'automatic', write: false,
        define: { 'process.env.NODE_ENV': '"development"' },
      });
      return outputFiles[0].text;
    },

    /** Starts Node with a file of this folder. `ended` resolves with what it has printed, and rejects if it fails. */
    node(args, env) {
      const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env } });
      let printed = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data));
      const ended = new Promise((resolve, reject) => {
        child.on('close', (code) => (code === 0 ? resolve(printed) : reject(new Error(`Node ended with ${code}:\n${printed}`))));
      });
      ended.catch(() => {});
      return { ended, stop: () => child.kill('SIGKILL') };
    },

    /** Checks TypeScript as strictly as it can be; rejects with what is wrong. */
    async check(name, code, looser = {}) {
      await writeFile(join(folder, name), code);
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
        compilerOptions: {
          strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noUnusedLocals: true, noEmit: true,
          target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [],
          skipLibCheck: true, ...looser,
        },
        files: [name],
      }));
      await this.node([join(packageRoot, 'node_modules/typescript/bin/tsc'), '-p', folder]).ended;
    },
  };
}

/**
 * An application with a broker at `/broker`, which serves the client there: pages by `page`, and the requests to the broker
 * in `requests`.
 */
export async function startApplication(brokerPort) {
  const files = new Map();
  const requests = [];
  const application = {
    requests,
    /** Returns `[status, code]` for a request that is refused. */
    refuse: () => false,
    /** Serves a page; what is no HTML is its script. */
    serve(path, html, script) {
      files.set(path, ['text/html', script ? `<!doctype html><meta charset="utf-8">${html}<script type="module" src="${path}.js"></script>` : html]);
      if (script) files.set(`${path}.js`, ['text/javascript', script]);
      return application.url + path;
    },
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://application');
    const [, module] = /^\/broker\/(client(?:\/[\w-]+)?\.js)$/.exec(pathname) ?? [];
    const [type, content] = module && existsSync(packageRoot + module)
      ? ['text/javascript', readFileSync(packageRoot + module)] : files.get(pathname) ?? [];
    if (content) return response.setHeader('Content-Type', type).end(content);
    if (!pathname.startsWith('/broker/')) return response.writeHead(404).end();
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    const [status, code] = application.refuse(request) || [];
    if (code) {
      return response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ status, code, detail: code }));
    }
    return passOn(request, response, brokerPort);
  });
  server.on('upgrade', ({ method, url, headers }) => requests.push({ method, url, headers }));
  passUpgradesOn(server, brokerPort);
  application.url = `http://localhost:${await listen(server)}`;
  application.close = () => end(server);
  return application;
}

/** Chromium; a page says what it has complained about where a test waits in vain. */
async function openPages() {
  const browser = await openBrowser('chromium');
  return {
    close: browser.close,
    async open(t, url, before) {
      const page = await browser.newPage({ type: 'window' });
      t.after(() => page.isClosed() || page.close());
      const said = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      page.on('dialog', (dialog) => dialog.accept(page.answer));
      await before?.(page);
      await page.goto(url);
      return Object.assign(page, {
        said,
        async until(holds, ...values) {
          await page.waitForFunction(holds, { timeout: 20_000, polling: 50 }, ...values).catch(async (error) => {
            const content = await page.content().catch(String);
            throw new Error(`In vain: ${holds} ${values}\nThe page has said: ${said.join('\n')}\n${content.slice(0, 2_000)}`, { cause: error });
          });
        },
      });
    },
  };
}
