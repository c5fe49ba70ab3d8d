import { abortable, BrokerError, brokerError } from './error.js';

/** For so long an answer is waited for, and before it the application's headers: milliseconds. */
const ANSWER_WITHIN = 10_000;

/**
 * Returns what a response that is no success means. A proxy's answer has no `code`, so it answers nothing: the request may
 * or may not have reached the broker.
 */
export async function refusal(response) {
  const { code, detail } = (await response.json().catch(() => {})) ?? {};
  const isOurs = typeof code === 'string';
  return new BrokerError(
    isOurs ? code : 'unreachable',
    isOurs ? detail : `Not the broker's answer: status ${response.status}. Check the URL.`,
    response.status,
    +response.headers.get('Retry-After') || 0,
  );
}

/**
 * Returns where a path, with or without a query, is below the URL of a broker. That URL is resolved once, since a page changes its
 * own address as it goes; a query of it stays with each request.
 */
export function below(url) {
  // Where a server renders a page there is nothing to resolve a path against, and nobody connects.
  const nowhere = 'http://page.invalid';
  const base = globalThis.document?.baseURI ?? (globalThis.WorkerGlobalScope ? location.href : nowhere);
  const { protocol, username, origin, pathname, search } = new URL(url, base);
  if (!/^http/.test(protocol) || username) throw new TypeError('The URL must be http: or https: without a password.');
  const root = origin.replace(nowhere, '') + pathname.replace(/\/+$/, '');
  return (path) => root + path.replace(/\?|$/, (mark) => (search ? search + (mark && '&') : mark));
}

/** The requests to a broker, with the application's headers asked anew for each. They reject with BrokerError. */
export function requests(at, { fetch, headers, credentials }) {
  let lastHeaders;
  let carried; // how requests go while the stream carries them

  async function freshHeaders() {
    try {
      return lastHeaders = headers?.call ? await abortable(headers(), AbortSignal.timeout(ANSWER_WITHIN)) : headers;
    } catch (error) {
      throw new BrokerError('unreachable', `No headers from the application: ${error}`);
    }
  }

  async function request(path, type, { sending, ...init } = {}) {
    try {
      // What goes away with its page can't wait for a token.
      const all = new Headers(init.keepalive ? lastHeaders : await freshHeaders());
      if (type) all.set('Content-Type', type);
      sending?.();
      const response = await (fetch ?? globalThis.fetch)(at(path), {
        credentials, headers: all, signal: AbortSignal.timeout(ANSWER_WITHIN), ...init,
      });
      if (!response.ok) throw await refusal(response);
      return [await response.json(), response.headers];
    } catch (error) {
      throw brokerError(error);
    }
  }

  /** `sending` is called once the request may reach the broker. */
  async function post(path, body, options, type = 'application/json') {
    if (carried) return carried(path, body, options);
    const [answer] = await request(path, type, { method: 'POST', body, ...options });
    return answer;
  }

  return {
    freshHeaders,
    get: request,
    post,
    carry(by) {
      carried = by;
    },
    /** Does to a channel what needs no number. */
    act({ cid, key }, action, body, options) {
      // The broker takes these as text, which needs no preflight: a page that goes away has no time for one.
      const type = /ping|close/.test(action) ? 'text/plain' : undefined;
      return post(`/channel/${cid}/${action}`, JSON.stringify({ key, ...body }), options, type);
    },
  };
}
