import { spawn } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { missing } from './missing.js';
import { listen } from './servers.js';

const jar = process.env.PEERBROKER_JAR;

/** Why the tests with the real broker are left out; false where they run. */
export const withoutJar = !jar && missing(
  'PEERBROKER_JAR does not name the runnable broker, broker-server.jar, which mvn -pl broker-examples -am package builds.',
);

/** A process of the broker that can be killed and started again at the same port. Rejects with its output if it does not start. */
export async function startRealBroker(...args) {
  let port = 0;
  let child;

  async function start() {
    child = spawn('java', ['-jar', jar, '--port', port, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    const ended = new Promise((resolve) => child.once('close', resolve));
    const listening = new Promise((resolve, reject) => {
      const read = (line) => {
        output.push(line);
        const [, number] = /^listening on http:.*:(\d+)\//.exec(line) ?? [];
        if (number) resolve(Number(number));
      };
      createInterface(child.stdout).on('line', read);
      createInterface(child.stderr).on('line', read);
      const fail = (why) => reject(new Error(`${jar} did not start: ${why}\n${output.join('\n')}`));
      ended.then((code) => fail(`exit code ${code}`));
      child.once('error', fail);
      setTimeout(fail, 30_000, 'it is not listening after 30 s').unref();
    });
    try {
      port = await listening;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    child.ended = ended;
  }

  await start();
  return {
    url: `http://127.0.0.1:${port}/broker`,
    port,
    start,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await child.ended;
    },
  };
}

/** The requests in the frames of a WebSocket, as lines of HTTP. A frame comes in one piece here, and not much longer than this. */
function requestsIn(data) {
  const lines = [];
  for (let at = 0; at + 6 < data.length;) {
    const isText = (data[at] & 15) === 1;
    let length = data[at + 1] & 127;
    at += 2;
    if (length === 126) {
      length = data.readUInt16BE(at);
      at += 2;
    }
    const mask = data.subarray(at, at + 4);
    at += 4;
    const text = Buffer.from(data.subarray(at, at + length).map((byte, i) => byte ^ mask[i % 4]));
    at += length;
    if (isText) lines.push(`POST /broker${JSON.parse(text).post} `);
  }
  return lines.join('\n');
}

/** Between a client and the broker: passes on what comes, until it is told to do worse. */
export async function startProxy(target) {
  const pairs = new Set();
  const proxy = {
    /** Whether new connections are passed on, or ended. */
    isUp: true,
    /** Whether anything is passed on: without, connections stay open and silent. */
    isFlowing: true,
    /** From now on the streams of now stay open and silent; all else goes on. */
    stall() {
      for (const pair of pairs) pair.isStalled = pair.isStream;
    },
    /** Told what a client sends; returns true for a request whose answer is lost with its connection. */
    losesAnswerOf: () => false,
    /** The same for a request that is lost itself. */
    losesRequestOf: () => false,
    cut() {
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
    },
  };
  const server = createServer((near) => {
    if (!proxy.isUp) return near.destroy();
    const far = createConnection(target, '127.0.0.1');
    const pair = [near, far];
    let isLosing;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      pair.forEach((socket) => socket.destroy());
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.on('data', (data) => {
      const text = pair.isSocket ? requestsIn(data) : String(data);
      pair.isSocket ||= text.startsWith('GET /broker/socket?');
      pair.isStream ||= /^GET .broker.(channel|socket)\?/.test(text);
      if (proxy.losesRequestOf(text)) return end();
      isLosing ||= proxy.losesAnswerOf(text);
      if (proxy.isFlowing) far.write(data);
    });
    far.on('data', (data) => {
      if (isLosing) end();
      else if (proxy.isFlowing && !pair.isStalled) near.write(data);
    });
  });
  proxy.url = `http://127.0.0.1:${await listen(server)}/broker`;
  proxy.close = () => {
    proxy.cut();
    server.close();
  };
  return proxy;
}
