import type { Transport } from './broker.js';

/** An EventSource of the platform or of a package; `headers` are for those that can send them. */
export type EventSourceLike = new (url: string, init: { withCredentials: boolean; headers: HeadersInit | undefined }) => {
  addEventListener(type: string, listener: (event: any) => void): void;
  close(): void;
};

/**
 * A transport for platforms whose fetch does not stream: `new Broker(url, { transport: eventSource(EventSource) })`. It hides
 * refusals, which look like broken connections, so a Broker with it never gives up by itself.
 */
export function eventSource(EventSource: EventSourceLike): Transport;
