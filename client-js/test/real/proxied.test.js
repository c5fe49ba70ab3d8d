import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newPage, openBrowser, startPages, without } from '../tools/browsers.js';
import { startRealBroker, withoutJar } from '../tools/realbroker.js';
import { listen } from '../tools/servers.js';

const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';
const skip = withoutJar || without('chromium') || (!existsSync(NGINX) && `There is no ${NGINX}; NGINX names another.`);
const options = { skip, timeout: 60_000 };

/** More than the connections that a browser opens to one origin over HTTP/1.1. */
const TABS = 8;

/** The block of docs/proxies.md with this name. */
function block(name) {
  const text = readFileSync(new URL('../../../docs/proxies.md', import.meta.url), 'utf8');
  return text.split(`<!-- tested: ${name} -->\n\`\`\`nginx\n`)[1].split('```')[0];
}

async function freePort() {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** nginx with TLS and HTTP/2 as docs/proxies.md has it, with the pages beside the broker. */
async function startNginx(t, broker, pages) {
  const directory = await mkdtemp(join(tmpdir(), 'peerbroker-nginx-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const at = (file) => join(directory, file);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', at('key.pem'), '-out', at('chain.pem')], { stdio: 'ignore' });
  const port = await freePort();
  const server = block('nginx')
    .replace('    listen 80;\n', block('nginx, TLS'))
    .replace('listen 443', `listen 127.0.0.1:${port}`)
    .replace('/etc/ssl/signal.example.org.pem', at('chain.pem'))
    .replace('/etc/ssl/private/signal.example.org.key', at('key.pem'))
    .replace('127.0.0.1:8080', `127.0.0.1:${broker.port}`)
    .replace('    location /broker/ {', `    location / { proxy_pass ${pages.url.replace('localhost', '127.0.0.1')}; }\n    location /broker/ {`);
  writeFileSync(at('nginx.conf'), `daemon off; pid ${at('pid')}; events { }
    http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${at(one)};`).join(' ')} ${server} }`);
  const nginx = spawn(NGINX, ['-p', directory, '-e', 'stderr', '-c', at('nginx.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  nginx.stderr.on('data', (data) => {
    said += data;
  });
  const ended = new Promise((resolve) => nginx.once('close', resolve));
  t.after(async () => {
    nginx.kill();
    await ended;
  });
  for (let tries = 0; ; tries++) {
    const isUp = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true) ?? socket.destroy()).on('error', () => resolve(false));
    });
    if (isUp) return `https://localhost:${port}/`;
    if (tries > 200 || nginx.exitCode !== null) throw new Error(`nginx did not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const policy = "default-src 'none'; script-src 'self'; connect-src 'self'";

test(`Behind nginx with TLS and HTTP/2, under a strict policy, ${TABS} tabs share a connection and call each other`, options, async (t) => {
  const pages = await startPages(0, policy);
  t.after(() => pages.close());
  const broker = await startRealBroker();
  t.after(() => broker.stop('SIGKILL'));
  const browser = await openBrowser('chromium', '--ignore-certificate-errors');
  t.after(() => browser.close());
  const url = await startNginx(t, broker, pages);
  const tabs = [];
  for (let i = 0; i < TABS; i++) tabs.push(await newPage(browser, url));
  await tabs[0].run('watchPolicy');
  const sids = await Promise.all(tabs.map(({ run }, i) => run('open', `${url}broker`, `${i}`)));
  for (let i = 0; i < TABS; i += 2) {
    await Promise.all([tabs[i].run('call', sids[i + 1]), tabs[i + 1].run('opened')]);
    await tabs[i].run('ping');
  }
  assert.deepEqual(await tabs[0].run('list'), [...sids].sort());
  for (const { run } of tabs) assert.deepEqual(await run('protocols'), ['h2']);
  assert.deepEqual(await tabs[0].run('violations'), []);
  // The policy is in force.
  assert.match(await tabs[0].run('reach', broker.url), /^TypeError/);
  assert.deepEqual(await tabs[0].run('violations'), ['connect-src']);
});

test('A page of another origin sends headers that the broker permits, and none that it does not', options, async (t) => {
  const pages = await startPages();
  t.after(() => pages.close());
  const broker = await startRealBroker('--allowed-origins', pages.url.replace(/\/$/, ''), '--allowed-headers', 'Authorization,X-Tenant');
  t.after(() => broker.stop('SIGKILL'));
  const browser = await openBrowser('chromium');
  t.after(() => browser.close());
  const [ada, bob] = [await newPage(browser, pages.url), await newPage(browser, pages.url)];
  await ada.run('open', broker.url, 'Ada', { headers: { Authorization: 'Bearer ada', 'X-Tenant': 'one' }, credentials: 'include' });
  const sid = await bob.run('open', broker.url, 'Bob', { headers: { Authorization: 'Bearer bob' } });
  await Promise.all([ada.run('call', sid), bob.run('opened')]);
  await ada.run('ping');
  const cyd = await newPage(browser, pages.url);
  assert.equal(await cyd.run('refusal', broker.url, { headers: { 'X-Other': 'one' } }), 'unreachable');
});
