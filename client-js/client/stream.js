import { BrokerError, refusal } from './error.js';

/**
 * Reads server-sent events, in whatever pieces their text comes, and calls `on.event(type, data, lastEventId)`,
 * `on.retry(milliseconds)` and `on.comment()`.
 */
export class EventParser {
  #on;
  #rest = '';
  #endedInReturn = false;
  #type = '';
  #data = [];
  #id = '';

  constructor(on) {
    this.#on = on;
  }

  push(text) {
    if (!text) return;
    // CR LF is one end of line, also when it comes in two pieces.
    if (this.#endedInReturn && text[0] === '\n') text = text.slice(1);
    this.#endedInReturn = text.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n?|\n/);
    this.#rest = lines.pop();
    lines.forEach((line) => this.#line(line));
  }

  #line(line) {
    if (!line) {
      const data = this.#data;
      const type = this.#type;
      this.#data = [];
      this.#type = '';
      if (data.length) this.#on.event(type || 'message', data.join('\n'), this.#id);
      return;
    }
    const [, field, value] = /^([^:]*):? ?([^]*)$/.exec(line);
    if (!field) this.#on.comment();
    if (field === 'data') this.#data.push(value);
    if (field === 'event') this.#type = value;
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'retry' && /^\d+$/.test(value)) this.#on.retry(+value);
  }
}

/**
 * Reads a stream with fetch, which shows the heartbeats and the refusals. Resolves when the stream has ended, rejects when it
 * was refused or broke. Every transport has this form; `on` has `heard()`, for any sign of life, beside the calls of
 * {@link EventParser}.
 */
export async function fetchStream(url, { fetch = globalThis.fetch, headers, credentials, signal }, on) {
  const response = await fetch(url, { headers, credentials, signal, cache: 'no-store' });
  if (!response.ok || !/^text\/event-stream/.test(response.headers.get('Content-Type'))) throw await refusal(response);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser(on);
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) return;
    on.heard();
    parser.push(decoder.decode(value, { stream: true }));
  }
}

/** Reads a stream with an EventSource, for platforms whose fetch does not stream. It hides comments, so it asks for events. */
export function eventSourceStream(url, { EventSource = globalThis.EventSource, headers, credentials, signal }, on) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`${url}&heartbeat=event`, { withCredentials: credentials === 'include', headers });
    let settling;
    const end = () => {
      clearTimeout(settling);
      source.close();
      resolve();
    };
    signal.addEventListener('abort', end);
    source.addEventListener('open', () => {
      on.heard();
      // A new channel says so at once, and a continued one (rule R4) says nothing.
      settling = setTimeout(on.comment, 1_000);
    });
    source.addEventListener('error', () => {
      end(reject(new BrokerError('unreachable', 'The stream of events broke, or was refused.')));
    });
    for (const type of ['channel', 'message', 'undelivered', 'add', 'remove', 'ready', 'unwatch', 'heartbeat', 'close']) {
      source.addEventListener(type, ({ data, lastEventId }) => {
        on.heard();
        on.event(type, data, lastEventId);
      });
    }
  });
}
