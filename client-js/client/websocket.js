import { BrokerError, gate, onAbort } from './error.js';

/** The name of the protocol on a WebSocket. */
const PROTOCOL = 'peerbroker.v1';

/** For so long an answer is waited for: milliseconds. */
const ANSWER_WITHIN = 10_000;

/** While more bytes than these wait for the network, no request is added to them. */
const BUFFERED = 262_144;

/** For so long a channel that goes on may say nothing before it is asked again: milliseconds. */
const ASK_AGAIN = 500;

/** The status that a refusal has over HTTP. */
const STATUS = [
  [/^(wrong_key|denied)$/, 403], [/^unknown_/, 404], [/^request_timeout$/, 408], [/^too_large$/, 413],
  [/^(rate_limited|target_busy|too_many_.*)$/, 429], [/^internal$/, 500], [/^(at_capacity|shutting_down)$/, 503], [/^/, 400],
];

/** How a connection is closed that gets no channel, for a reason that is the code of the refusal. */
const REFUSED = { 1_011: /^internal$/, 1_012: /^shutting_down$/, 1_013: /^(at_capacity|rate_limited)$/, 4_400: /^[a-z_]+$/, 4_403: /^denied$/ };

const refused = ({ code, detail, retryAfter }) => new BrokerError(code, detail, STATUS.find(([codes]) => codes.test(code))[1], retryAfter);

/**
 * A transport over WebSockets of this class, which carry the requests as well. Each is a channel's: its requests need no key, and
 * one that could not be answered is rejected as `unreachable`, so that it comes again on the next connection.
 */
export function webSocket(WebSocket) {
  return (url, { headers, channel, signal }, on) => new Promise((resolve, reject) => {
    if (!WebSocket) throw mistake('There is no WebSocket here: pass one by webSocket() of @peerbroker/client/websocket.');
    if (headers && WebSocket === globalThis.WebSocket) {
      throw mistake('A WebSocket of the platform sends no headers: use cookies, or a token in the query of its URL.');
    }
    const socket = new WebSocket(
      url.replace('/channel?', '/socket?').replace(/^http/, 'ws'),
      PROTOCOL,
      ...(headers ? [{ headers: Object.fromEntries(new Headers(headers)) }] : []),
    );
    const waiting = new Map(); // ref → {resolve, reject, size}
    let lastRef = 0;
    let asking;
    let over; // why

    function end(error) {
      if (over) return;
      over = error;
      reject(error);
      clearTimeout(asking);
      for (const request of waiting.values()) request.reject(error);
      socket.close();
    }

    /** Every body begins with the key, if it has one. */
    async function post(path, body, { sending } = {}) {
      if (over) throw over;
      if (socket.bufferedAmount > BUFFERED) throw new BrokerError('unreachable', 'Too much waits for the network.');
      const ref = ++lastRef;
      const request = { ...gate(), size: body.length };
      const timer = setTimeout(() => request.reject(new BrokerError('unreachable', 'No answer in time.')), ANSWER_WITHIN);
      waiting.set(ref, request);
      sending?.();
      const head = JSON.stringify({ post: decodeURIComponent(path), ref });
      socket.send(head.slice(0, -1) + body.replace(/^{("key":"[^"]*")?/, ''));
      try {
        return await request.promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(ref);
      }
    }

    /** A channel that goes on may have nothing to say, and then says at least that it is this one. A new one has its event. */
    function ask() {
      post(`/channel/${channel.cid}/ping`, '{}').then(on.comment, () => {
        if (!over) asking = setTimeout(ask, ASK_AGAIN);
      });
    }

    const listen = (type, listener) => socket.addEventListener(type, listener);
    listen('open', () => {
      on.heard();
      // As a stream says it, so that clients that are cut off together do not come back together.
      on.retry(1_000 + Math.random() * 2_000);
      on.carry(post);
      if (channel) ask();
    });
    listen('message', ({ data }) => {
      on.heard();
      try {
        const { event, id, data: detail, ref, answer, refusal } = JSON.parse(data);
        if (event) {
          clearTimeout(asking);
          on.event(event, detail, id);
        } else if (!ref) {
          end(refused(refusal));
        } else if (refusal) {
          waiting.get(ref)?.reject(refused(refusal));
        } else {
          waiting.get(ref)?.resolve(answer);
        }
      } catch (error) {
        end(error); // no broker says that
      }
    });
    listen('error', ({ message = '' }) => {
      // Some classes tell the status; a broker has this one only for what its policy denies.
      const [, status = 0] = /response: (\d+)/.exec(message) ?? [];
      end(new BrokerError(status === '403' ? 'denied' : 'unreachable', `The WebSocket broke, or was refused. ${message}`, +status));
    });
    listen('close', ({ code, reason }) => {
      if (code === 1_009) {
        const [largest] = [...waiting.values()].sort((one, other) => other.size - one.size);
        largest?.reject(new BrokerError('too_large', reason, 413));
      }
      on.event('close', { reason }); // again: its last event may have been lost
      const detail = `The WebSocket was closed: ${code} ${reason}`;
      // Firefox drops a message that comes together with the close, and this is all that is left of a refusal.
      end(REFUSED[code]?.test(reason) ? refused({ code: reason, detail }) : new BrokerError('unreachable', detail));
    });
    onAbort(signal, () => end(new BrokerError('unreachable', 'The WebSocket was let go.')));
  });
}

/** Not to be tried again. */
const mistake = (message) => new BrokerError('invalid_request', message, 400);
