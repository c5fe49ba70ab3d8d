import { Broker } from '../../client/broker.js';
import { settle } from './waiting.js';

/**
 * A Broker without a network: the test opens its streams and answers its requests, so it decides what comes before what.
 * A stream is `{url, signal, on, end, fail}`; a request `{path, body, answer(json), refuse(status, code, retryAfter)}`.
 */
export function scripted(t, options) {
  const streams = [];
  const requests = [];
  const broker = new Broker('', {
    delay: () => 1,
    lifecycle: () => {},
    transport: (url, { signal }, on) => new Promise((end, fail) => {
      streams.push({ url, signal, on, end, fail });
    }),
    fetch: (path, { body }) => new Promise((resolve) => {
      const answer = (json, status = 200, headers = {}) => resolve(Response.json(json, { status, headers }));
      const refuse = (status, code, retryAfter) => answer({ code, detail: code }, status, retryAfter && { 'Retry-After': retryAfter });
      if (/\/channel\/[^/]+\/close$/.test(path)) answer({}); // in a page it is a whole URL
      requests.push({ path, body: body && JSON.parse(body), answer, refuse });
    }),
    ...options,
  });
  t.after(() => broker.close());
  async function open(cid) {
    if (!streams.length) broker.open();
    await settle();
    streams.at(-1).on.event('channel', JSON.stringify({ cid, key: `key of ${cid}`, heartbeat: 15 }), `${cid}.1`);
    await settle();
  }

  return {
    broker, streams,
    /** Opens a channel with this name, on the stream that is on its way. */
    open,
    /** Says on the latest stream what the broker says. */
    async say(type, data, id) {
      streams.at(-1).on.event(type, JSON.stringify(data), id);
      await settle();
    },
    /** The broker has lost the channel: the next stream begins with another. */
    async replace(cid) {
      const before = streams.length;
      streams.at(-1).end();
      while (streams.length === before) await new Promise((resolve) => setTimeout(resolve, 1));
      await open(cid);
    },
    /** The requests to a path since the last call. */
    async to(path) {
      await settle();
      const found = requests.filter((request) => path.test(request.path));
      for (const request of found) requests.splice(requests.indexOf(request), 1);
      return found;
    },
  };
}
