import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';
import { WebSocketServer } from 'ws';
import { end, listen } from './servers.js';

/**
 * A broker that speaks as much of the protocol as the client needs, over HTTP and over WebSockets, and fails when it is told to. A
 * channel is `{cid, key, response, events, sessions, seq, watches}`. What comes over a WebSocket has the path that it would have over
 * HTTP, `/channel` for the WebSocket itself, and a response that says there what is written to it.
 */
export async function startFakeBroker({ heartbeat = 15, retry = 1 } = {}) {
  let channels = new Map();
  const faults = []; // {path, fault}: for the next request to it
  const requests = []; // {path, body, headers}

  const broker = {
    requests,
    iceServers: undefined,
    get channels() {
      return [...channels.values()];
    },
    /** The next request whose path matches meets `fault(request, response, perform)` instead. */
    next(path, fault) {
      faults.push({ path, fault });
    },
    /** Breaks every stream; the channels wait. */
    cut() {
      for (const channel of channels.values()) channel.response?.destroy();
    },
    /** As a restart: every channel is gone. */
    restart() {
      const { channels: gone } = broker;
      channels = new Map();
      for (const { response } of gone) response?.destroy();
    },
    emit,
    tellAll() {
      for (const channel of channels.values()) for (const watch of channel.watches.keys()) tell(channel, watch);
    },
  };

  function emit(channel, type, data, hasId = true) {
    const id = hasId ? `id: ${channel.cid}.${channel.events.length + 1}\n` : '';
    const text = `${id}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    if (hasId) channel.events.push(text);
    channel.response?.write(text);
  }

  const listed = (filter) => [...channels.values()].flatMap(({ sessions }) => [...sessions])
    .filter(([, { list, tags = [] }]) => list && (!filter || tags.includes(filter)))
    .map(([sid, { tags = [], metadata = null }]) => ({ sid, session: { tags, metadata } }));

  function tell(channel, watch) {
    const sessions = listed(channel.watches.get(watch));
    for (const session of sessions) emit(channel, 'add', { ...session, watch }, false);
    emit(channel, 'ready', { count: sessions.length, heartbeat, watch }, false);
  }

  function refuse(response, status, code, retryAfter) {
    response.writeHead(status, { 'Content-Type': 'application/problem+json', ...(retryAfter && { 'Retry-After': retryAfter }) });
    response.end(JSON.stringify({ status, code, detail: `Refused: ${code}.` }));
  }

  function openChannel(url, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream;charset=utf-8' });
    response.write(`retry: ${retry}\n\n`);
    const [cid, seen] = (url.searchParams.get('lastEventId') ?? '').split('.');
    let channel = channels.get(cid);
    if (channel) {
      channel.response?.destroy();
      channel.response = response;
      for (const text of channel.events.slice(+seen)) response.write(text);
      for (const watch of channel.watches.keys()) tell(channel, watch);
    } else {
      channel = { cid: randomUUID(), key: randomUUID(), response, events: [], sessions: new Map(), watches: new Map(), seq: 0 };
      channels.set(channel.cid, channel);
      const { cid, key } = channel;
      emit(channel, 'channel', { cid, key, resume: 60, lease: 90, heartbeat, ...broker.iceServers });
    }
    response.write(':\n\n');
    response.on('close', () => {
      if (channel.response === response) channel.response = null;
    });
  }

  function perform(path, body, response) {
    const [, first, id, action] = path.split('/');
    const host = (address) => channels.get(address) ?? [...channels.values()].find(({ sessions }) => sessions.has(address));
    const channel = host(body.cid ?? body.origin ?? id);
    if (!channel) return refuse(response, 404, 'unknown_channel');
    if (channel.key !== body.key) return refuse(response, 403, 'wrong_key');
    const answer = (json) => {
      if (body.seq) channel.answer = json;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(json));
    };
    if (body.seq < channel.seq) return refuse(response, 400, 'invalid_request');
    if (body.seq && body.seq === channel.seq) return answer(channel.answer);
    channel.seq = body.seq ?? channel.seq;
    if (first === 'session') {
      if (!id) {
        const { tags, list, metadata } = body;
        const sid = randomUUID();
        channel.sessions.set(sid, { tags, list, metadata });
        answer({ sid });
      } else if (action === 'update') {
        Object.assign(channel.sessions.get(id), body.values);
        answer({});
      } else {
        channel.sessions.delete(id);
        answer({});
      }
      return broker.tellAll();
    }
    if (first === 'send') {
      const target = host(id);
      if (!target) return refuse(response, 404, 'unknown_target');
      for (const message of body.messages) emit(target, 'message', { origin: body.origin, target: id, message });
      return answer({ deliveries: body.messages.map(() => ({ delivery: 'sent' })) });
    }
    if (action === 'ping') return answer({ stream: !!channel.response });
    if (action === 'ice') return answer(broker.iceServers ?? { iceServers: [] });
    if (action === 'close') {
      channels.delete(id);
      answer({});
      return channel.response?.end('event: close\ndata: {"reason":"closed"}\n\n');
    }
    if (action === 'watch') {
      answer({});
      if (channel.watches.has(body.watch)) return;
      channel.watches.set(body.watch, body.filter);
      return tell(channel, body.watch);
    }
    channel.watches.delete(body.watch);
    answer({});
    return emit(channel, 'unwatch', { watch: body.watch, reason: 'closed' }, false);
  }

  function serve(request, url, path, body, response) {
    requests.push({ path, body, headers: request.headers, query: url.search });
    const act = () => {
      if (path === '/channel') return openChannel(url, response);
      const types = /^.channel.*(ping|close)$/.test(path) ? /^(application.json|text.plain)/ : /^application.json/;
      if (request.method === 'POST' && !types.test(request.headers['content-type'])) return refuse(response, 415, 'unsupported_media_type');
      if (path !== '/list') return perform(path, body, response);
      const all = listed(url.searchParams.get('filter'));
      const from = +(url.searchParams.get('after') ?? 0);
      const to = from + +(url.searchParams.get('limit') ?? 1000);
      if (to < all.length) response.setHeader('Link', `<?limit=${to - from}&after=${to}>; rel="next"`);
      response.setHeader('Content-Type', 'application/json');
      return response.end(JSON.stringify(all.slice(from, to)));
    };
    const i = faults.findIndex((fault) => fault.path.test(path));
    if (i >= 0) faults.splice(i, 1)[0].fault({ request, response, body, perform: act, refuse: (...values) => refuse(response, ...values) });
    else act();
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://fake');
    let text = '';
    for await (const chunk of request) text += chunk;
    serve(request, url, url.pathname, text && JSON.parse(text), response);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, connection, head) => {
    const url = new URL(request.url, 'http://fake');
    serve(request, url, '/channel', '', new SocketStream(connection, (listener) => sockets.handleUpgrade(request, connection, head, (socket) => {
      socket.on('message', (data) => {
        const { post, ref, ...body } = JSON.parse(data);
        const { key } = broker.channels.find(({ response }) => response?.socket === socket) ?? {};
        if ('key' in body) throw new Error(`A key in a frame: ${data}`);
        serve(request, url, post, { ...body, key }, new SocketAnswer(socket, ref));
      });
      listener(socket);
    })));
  });
  broker.url = `http://127.0.0.1:${await listen(server)}`;
  after(() => end(server));
  return broker;
}

/** What a server writes as a stream, on a WebSocket: or, where it is none, in answer to the handshake. */
class SocketStream extends EventEmitter {
  #connection;
  #upgrade;
  #head = [];
  socket;

  constructor(connection, upgrade) {
    super();
    this.#connection = connection;
    this.#upgrade = upgrade;
    connection.on('error', () => {});
  }

  writeHead(...head) {
    this.#head = head;
    return this;
  }

  write(text) {
    if (!this.socket) {
      this.#upgrade((socket) => {
        this.socket = socket;
        socket.on('close', () => this.emit('close'));
      });
    }
    for (const [, id, event, data] of text.matchAll(/(?:id: (.*)\n)?event: (.*)\ndata: (.*)\n\n/g)) {
      this.socket.send(JSON.stringify({ event, id, data: JSON.parse(data) }));
    }
  }

  end(text) {
    const [status, headers] = this.#head;
    if (status === 200 && /event-stream/.test(headers['Content-Type'])) {
      this.write(text);
      const [, reason] = /"reason":"(\w+)"/.exec(text);
      this.socket.close({ closed: 1_000, revoked: 4_403, superseded: 4_409 }[reason], reason);
    } else if (/problem/.test(headers?.['Content-Type'])) {
      // As to a browser.
      this.write('');
      this.socket.send(JSON.stringify({ refusal: { ...JSON.parse(text), retryAfter: headers['Retry-After'] } }));
      this.socket.close(4_400);
    } else {
      this.#connection.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    }
  }

  destroy() {
    (this.socket?._socket ?? this.#connection).destroy();
  }
}

/** The answer to one request of a WebSocket, written as one of HTTP. */
class SocketAnswer {
  #socket;
  #ref;
  #type;
  #retryAfter;

  constructor(socket, ref) {
    this.#socket = socket;
    this.#ref = ref;
  }

  writeHead(status, headers) {
    this.#type = headers['Content-Type'];
    this.#retryAfter = headers['Retry-After'];
    return this;
  }

  end(text) {
    const ref = this.#ref;
    if (this.#type === 'application/json') this.#say({ ref, answer: JSON.parse(text) });
    else if (/problem/.test(this.#type)) this.#say({ ref, refusal: { ...JSON.parse(text), retryAfter: this.#retryAfter } });
    // A proxy cannot answer here.
    else this.destroy();
  }

  #say(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  destroy() {
    this.#socket.terminate();
  }
}

/** Faults for {@link startFakeBroker}'s `next`. */
export const loseAnswer = ({ perform, response }) => {
  response.writeHead = () => response;
  response.end = () => response.destroy();
  perform();
};
export const loseRequest = ({ response }) => response.destroy();
export const badGateway = ({ response }) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad gateway</h1>');
