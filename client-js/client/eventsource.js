import { BrokerError } from './error.js';

/**
 * A transport for platforms whose fetch does not stream: `new Broker(url, { transport: eventSource(EventSource) })`. It hides
 * comments, so the broker is asked for heartbeats that are events; and it hides refusals, which look like broken connections.
 */
export function eventSource(EventSource) {
  return (url, { headers, credentials, signal }, on) => new Promise((resolve, reject) => {
    const source = new EventSource(`${url}&heartbeat=event`, { withCredentials: credentials === 'include', headers });
    let settling;
    const end = () => {
      clearTimeout(settling);
      source.close();
      resolve();
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    source.addEventListener('open', () => {
      on.heard();
      // A new channel says so at once, and a continued one (rule R4) says nothing.
      settling = setTimeout(on.comment, 1_000);
    });
    source.addEventListener('error', () => {
      reject(new BrokerError('unreachable', 'The stream broke, or was refused.'));
      end();
    });
    for (const type of ['channel', 'message', 'undelivered', 'add', 'remove', 'ready', 'unwatch', 'heartbeat', 'close']) {
      source.addEventListener(type, ({ data, lastEventId }) => {
        on.heard();
        on.event(type, data, lastEventId);
      });
    }
  });
}
