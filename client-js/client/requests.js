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

/** The requests to a broker, with the application's headers asked anew for each. They reject with BrokerError. */
export function requests(base, { fetch, headers, credentials }) {
  let lastHeaders;

  async function freshHeaders() {
    try {
      lastHeaders = headers?.call ? await abortable(headers(), AbortSignal.timeout(ANSWER_WITHIN)) : headers;
      new Headers(lastHeaders);
      return lastHeaders;
    } catch (error) {
      throw new BrokerError('unreachable', `The application's headers did not settle, or failed: ${error}`);
    }
  }

  async function request(path, type, value, { sending, ...init } = {}) {
    try {
      // What goes away with its page can't wait for a token.
      const all = new Headers(init.keepalive ? lastHeaders : await freshHeaders());
      all.set(type, value);
      sending?.();
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
    /** `sending` is called once the request may reach the broker. */
    async post(path, body, { keepalive, sending } = {}) {
      // The broker takes a channel's ping and close as text, which needs no preflight: a page that goes away has no time for one.
      const type = /^.channel.*(ping|close)$/.test(path) ? 'text/plain' : 'application/json';
      const [answer] = await request(path, 'Content-Type', type, { method: 'POST', keepalive, sending, body });
      return answer;
    },
  };
}
