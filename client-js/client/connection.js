import { BrokerError, brokerError, gate } from './error.js';
import { fetchStream } from './stream.js';
import { pageLifecycle } from './lifecycle.js';
import { sharedLifecycle } from './tabs.js';

/** A stream on which nothing has come for so many heartbeats is dead, whatever the browser says. */
const HEARTBEATS = 2.5;

/** For so many milliseconds a stream may take to begin, divided by the above. */
const FIRST_HEARTBEAT = 8_000;

/** Full jitter, so that clients that were cut off together do not come back together: 0.5 to 20 seconds. */
export const fullJitter = (attempt) => 500 + Math.random() * Math.min(19_500, 500 * 2 ** attempt);

/** A time that the broker has said, in bounds: a timer takes less than 2^31 milliseconds, and would run at once. */
export const bounded = (milliseconds, least = 0) => Math.min(Math.max(milliseconds || 0, least), 300_000);

/**
 * The life of a channel's stream: opened, watched, opened again after a pause, let go while the page sleeps.
 *
 * @param on `state(detail)`; `begin()` before the first event of each stream; `channel(earlier)` once it is open, with the
 *   channel that it replaces, if it is a new one, and `undefined` if the same goes on; `event(type, data)`; `end(error)`
 */
export function connection(at, { freshHeaders, act, carry }, options, on) {
  const { resume = 60, lease = 90, transport = fetchStream, delay = fullJitter, fetch, credentials } = options;
  // Browsers do not count WebSockets among the connections to an origin.
  const { lifecycle = transport.call ? sharedLifecycle : pageLifecycle } = options;
  if (!transport.call && transport !== 'websocket') throw new TypeError("A transport is a function, or 'websocket'.");
  let opened = gate();
  let attempt;
  let failures = 0;
  let retry = 0; // milliseconds, as the broker said last
  let timer;
  let watchdog;
  let pings;
  let heardAt;
  let lastEventId = '';
  let isOpen;
  let isAsleep;
  let forget;

  const self = {
    state: 'idle',
    channel: null,
    get opened() {
      return opened.promise;
    },
    open() {
      if (timer) wake();
      if (self.state === 'closed') opened = gate();
      else if (self.state !== 'idle') return;
      isAsleep = false;
      self.state = 'connecting';
      forget = lifecycle({ sleep, wake, leave: () => on.leave() });
      if (!isAsleep) connect();
      on.state({ state: 'connecting', attempt: 0, retryIn: 0 }); // last: who hears of it may close
    },
    end,
    ping,
  };

  function become(state, retryIn = 0, error = undefined) {
    if (state === self.state && !error) return;
    self.state = state;
    on.state({ state, attempt: failures, retryIn, error });
  }

  function connect() {
    drop();
    attempt = new AbortController();
    const { signal } = attempt;
    heard();
    stream(signal)
      .then(() => 'The stream has ended.', (error) => error)
      .then((error) => signal.aborted || broken(error));
  }

  async function stream(signal) {
    const headers = await freshHeaders();
    const live = (listener) => (...values) => signal.aborted || listener(...values);
    await (transport.call ? transport : (await import('./websocket.js')).webSocket(globalThis.WebSocket))(
      at(`/channel?resume=${resume}&lease=${lease}${lastEventId && '&lastEventId=' + encodeURIComponent(lastEventId)}`),
      { fetch, credentials, headers, signal, channel: self.channel },
      {
        heard: live(heard),
        retry(milliseconds) {
          retry = milliseconds;
        },
        // Only a channel that is continued (R4) begins with something else than its event.
        comment: live(() => settle()),
        carry: live(carry),
        event: live((type, data, id) => {
          const detail = data.at ? JSON.parse(data) : data; // text, or parsed
          const { reason } = detail;
          if (type !== 'close') {
            if (id) lastEventId = id;
            settle(type === 'channel' && detail);
            if (!signal.aborted) on.event(type, detail);
          } else if (/^(closed|revoked|superseded)$/.test(reason)) {
            end(new BrokerError(reason, `The channel was ${reason}.`));
          }
        }),
      },
    );
  }

  const heartbeat = () => bounded((isOpen && self.channel.heartbeat * 1_000) || FIRST_HEARTBEAT, 500);

  function heard() {
    heardAt = Date.now();
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      // A page that was frozen finds its timers due before the events that wait for it: those come first.
      watchdog = setTimeout(() => broken('The stream is silent.'), 500);
    }, HEARTBEATS * heartbeat());
  }

  function settle(fresh) {
    const earlier = self.channel;
    if (isOpen || !(fresh || earlier)) return;
    if (fresh) self.channel = { ...fresh, seq: 0 };
    const { channel } = self;
    failures = 0;
    isOpen = true;
    heard();
    pings = setInterval(() => ping(channel), bounded(channel.lease * 333 || 30_000, 1_000));
    on.channel(fresh && earlier, !fresh);
    opened.resolve(channel);
    become('open');
  }

  /** Reports that this client is there and how far it has come. Resolves with whether the broker knows the channel. */
  async function ping(channel) {
    const { stream, code } = await act(channel, 'ping', { seen: lastEventId || undefined }).catch((error) => error);
    const knows = code !== 'unknown_channel';
    // The broker has found out what the stream has not: nothing arrives here any longer.
    if (!(knows && stream !== false) && isOpen && channel === self.channel) connect();
    return knows;
  }

  function broken(reason) {
    drop();
    const error = brokerError(reason);
    const { status, retryAfter, retryable, code } = error;
    // A refusal that stays; or, as long as there was no channel, somebody else at this URL.
    if (/^(2|4(?!08|29))/.test(status) && (code === 'unreachable' ? !self.channel : !retryable)) return end(error);
    const retryIn = bounded(retryAfter * 1_000 || retry) + delay(failures++);
    timer = setTimeout(connect, retryIn);
    become(self.channel ? 'away' : 'connecting', retryIn, error);
  }

  /** Lets go of the stream. */
  function drop() {
    clearTimeout(timer);
    clearTimeout(watchdog);
    clearInterval(pings);
    timer = 0;
    carry();
    attempt?.abort();
    if (isOpen) opened = gate();
    isOpen = false;
  }

  function sleep() {
    isAsleep = true;
    drop();
    become(self.channel ? 'away' : 'connecting');
  }

  /** Tries at once, unless a stream is alive or on its way. */
  function wake() {
    if (!isAsleep && !timer && !(isOpen && Date.now() - heardAt > 1.5 * heartbeat())) return;
    isAsleep = false;
    failures = 0;
    connect();
  }

  function end(error) {
    if (self.state === 'closed') return;
    drop();
    forget?.();
    self.channel = null;
    lastEventId = '';
    failures = retry = 0;
    opened.reject(error);
    on.end(error);
    become('closed', 0, error);
  }

  return self;
}
