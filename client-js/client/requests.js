import { BrokerError, brokerError } from './error.js';

/** For so long an answer is waited for: milliseconds. */
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

/** The requests to a broker, with the application's headers asked anew for each. They reject with BrokerError. */
export function requests(base, { fetch, headers, credentials }) {
  let lastHeaders;

  async function freshHeaders() {
    lastHeaders = await (headers?.call ? headers() : headers);
    return lastHeaders;
  }

  async function request(path, type, value, init) {
    try {
      // What goes away with its page can't wait for a token.
      const all = new Headers(init?.keepalive ? lastHeaders : await freshHeaders());
      all.set(type, value);
      const response = await (fetch ?? globalThis.fetch)(base + path, {
        credentials, headers: all, signal: AbortSignal.timeout(ANSWER_WITHIN), ...init,
      });
      if (!response.ok) throw await refusal(response);
      return [await response.json(), response.headers];
    } catch (error) {
      throw brokerError(error);
    }
  }

  return {
    freshHeaders,
    get: (path) => request(path, 'Accept', 'application/json'),
    async post(path, body, keepalive) {
      // The broker takes a channel's ping and close as text, which needs no preflight: a page that goes away has no time for one.
      const type = /^.channel.*(ping|close)$/.test(path) ? 'text/plain' : 'application/json';
      const [answer] = await request(path, 'Content-Type', type, { method: 'POST', keepalive, body });
      return answer;
    },
  };
}
