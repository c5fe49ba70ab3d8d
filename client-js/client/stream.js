import { refusal } from './requests.js';

/**
 * Returns a reader of server-sent events, in whatever pieces their text comes, which calls `on.event(type, data, lastEventId)`,
 * `on.retry(milliseconds)` and `on.comment()`.
 */
export function eventReader(on) {
  let rest = '';
  let endedInReturn;
  let type;
  let data = [];
  let id = '';
  const fields = {
    __proto__: null,
    '': () => on.comment(),
    data: (value) => data.push(value),
    event: (value) => {
      type = value;
    },
    id: (value) => {
      if (!value.includes('\0')) id = value;
    },
    retry: (value) => /\D|^$/.test(value) || on.retry(+value),
  };

  return (text) => {
    if (!text) return;
    // CR LF is one end of line, also when it comes in two pieces.
    if (endedInReturn && text[0] === '\n') text = text.slice(1);
    endedInReturn = text.endsWith('\r');
    const lines = (rest + text).split(/\r\n?|\n/);
    rest = lines.pop();
    for (const line of lines) {
      if (line) {
        const [, field, value] = /^([^:]*):? ?([^]*)/.exec(line);
        fields[field]?.(value);
      } else {
        if (data.length) on.event(type || 'message', data.join('\n'), id);
        type = '';
        data = [];
      }
    }
  };
}

/**
 * Reads a stream with fetch, which shows the heartbeats and the refusals. Resolves when the stream has ended, rejects when it
 * was refused or broke. Every transport has this form; `on` has `heard()`, for any sign of life, beside the calls of
 * {@link eventReader}.
 */
export async function fetchStream(url, { fetch = globalThis.fetch, ...init }, on) {
  const response = await fetch(url, { ...init, cache: 'no-store' });
  if (!response.ok || !/^text\/event-stream/.test(response.headers.get('Content-Type'))) throw await refusal(response);
  const read = eventReader(on);
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    on.heard();
    read(decoder.decode(value, { stream: true }));
  }
}
