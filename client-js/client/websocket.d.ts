import type { Transport } from './broker.js';

/** A WebSocket of the platform or of a package; `headers` are for those that can send them. */
export type WebSocketLike = new (url: string, protocol: string, init?: { headers: Record<string, string> }) => {
  readonly bufferedAmount?: number;
  addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: any) => void): void;
  send(text: string): void;
  close(): void;
};

/**
 * A transport over WebSockets of this class: `new Broker(url, { transport: webSocket(WebSocket) })`, for platforms that have none,
 * and for classes that send headers. A platform's own sends none: a Broker with it and with `headers` closes as `invalid_request`.
 */
export function webSocket(WebSocket: WebSocketLike): Transport;
