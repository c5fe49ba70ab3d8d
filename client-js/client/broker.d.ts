/// <reference lib="esnext.disposable" />

declare const address: unique symbol;

/** The `cid` of a channel or the `sid` of a session: opaque, compared and nothing else. */
export type Address = string & { readonly [address]: true };

/** What an application puts into its sessions, sends over the broker, and tells with a call. All of it is JSON. */
export interface Schema {
  metadata: unknown;
  message: unknown;
  call: unknown;
}

export interface Abortable {
  /** Rejects the promise with the signal's reason, or ends what goes on. */
  signal?: AbortSignal | undefined;
}

/** A session as others see it. */
export interface Session<S extends Schema = Schema> {
  readonly sid: Address;
  readonly tags: readonly string[];
  readonly metadata: S['metadata'];
  /** Present on the sessions of this client. */
  readonly own?: true;
}

/** What a session is hosted with. The defaults are no tags, not listed, and null as metadata. */
export interface SessionSpec<S extends Schema = Schema> {
  tags?: readonly string[];
  /** Whether lists show it; without, it can only be sent to. */
  listed?: boolean;
  metadata?: S['metadata'];
}

export interface BrokerOptions<S extends Schema = Schema> extends Abortable {
  /** For so many seconds the channel waits for a client whose stream broke. 60 unless given; 0 turns it off. */
  resume?: number;
  /** Within so many seconds the broker hears from this client. 90 unless given, since hidden pages run timers once a minute. */
  lease?: number;
  /**
   * Asked anew before each request, so that a token is fresh. Counts as a broken connection, and is asked again, where it throws,
   * or does not settle within 10 s. A browser's WebSocket can send none.
   */
  headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
  /** As for fetch: `include` sends cookies to another origin. */
  credentials?: RequestCredentials;
  /**
   * How the stream is read: by fetch unless given. `websocket` takes the platform's WebSocket, for the requests as well, and excludes
   * `headers`; `@peerbroker/client/websocket` takes another class. See `@peerbroker/client/eventsource` for platforms whose fetch does
   * not stream.
   */
  transport?: 'websocket' | Transport;
  fetch?: typeof fetch;
  /**
   * When to sleep and wake. Unless given: by the page's own events and, over HTTP/1.1, in turns with the other tabs, since a browser
   * makes six connections to an origin (`websocket` counts to none of them); never where there is no page.
   */
  lifecycle?: Lifecycle;
  /**
   * Milliseconds before the next attempt, after so many in vain, beyond the pause that the broker asks for. Random unless given:
   * 500 to 1,000 at first, 500 to 20,000 later.
   */
  delay?(attempt: number): number;
  /** The most sessions that a watch holds: 10,000 unless given. Those beyond are left out. */
  max?: number;
  /**
   * Strangers wrote it: return what is right, or throw, and it is dropped with a `malformed` event. What comes with a call is not
   * checked here: check `call.call` before you accept.
   */
  check?: { [K in Exclude<keyof S, 'call'>]?: (json: unknown) => S[K] };
}

/**
 * Reads one stream of the broker. Resolves when it has ended, rejects (with BrokerError if it was refused) when it broke, and
 * lets go of it when `signal` aborts. Any other wire can be put under a Broker in this way.
 */
export type Transport = (
  url: string,
  init: {
    readonly signal: AbortSignal;
    readonly headers: HeadersInit | undefined;
    readonly credentials: RequestCredentials | undefined;
    readonly fetch: typeof fetch | undefined;
    /** The channel that should go on; null for a new one. */
    readonly channel: { readonly cid: string } | null;
  },
  on: {
    /** Something arrived, be it a heartbeat. */
    heard(): void;
    /** A comment arrived: had the channel been a new one, its event would have come before. */
    comment(): void;
    retry(milliseconds: number): void;
    /** `data` is the event's JSON, as text or parsed. */
    event(type: string, data: unknown, lastEventId?: string): void;
    /**
     * For a wire that carries requests as well: from now on, and until the stream ends, they go this way. `body` is JSON, and `sending`
     * is called before it may reach the broker. Rejects with BrokerError; as `unreachable` where nobody knows, and it comes again.
     */
    carry(post: (path: string, body: string, options?: { sending?: (() => void) | undefined }) => Promise<unknown>): void;
  },
) => Promise<void>;

/**
 * Tells a Broker when to let go of its stream (`sleep`), when to try at once (`wake`), and when to close for good (`leave`). For
 * those who know better than the page's events: React Native's AppState, a service worker. Returns what ends it.
 */
export type Lifecycle = (on: { sleep(): void; wake(): void; leave(): void }) => (() => void) | void;

/**
 * `idle` before the first use; `connecting` until there is a channel; `open`; `away` while the channel waits for its stream;
 * `closed` by `close()`, or because the broker wants no return.
 */
export type State = 'idle' | 'connecting' | 'open' | 'away' | 'closed';

/** `sent` into the queue of the target, or `queued` for a target whose stream is broken. Neither is a receipt. */
export type Delivery = { readonly delivery: 'sent' } | { readonly delivery: 'queued'; readonly id: string };

export interface SendOptions extends Abortable {
  /** Own session or channel that the message is from: the channel unless given. An earlier address stands for its successor. */
  origin?: Address | undefined;
  /** For so many milliseconds it waits for a connection: 30,000 unless given. */
  within?: number | undefined;
}

export interface Incoming<S extends Schema = Schema> {
  readonly origin: Address;
  readonly target: Address;
  readonly message: S['message'];
  /** Sends to the origin, from the target. */
  reply(message: S['message'], options?: SendOptions): Promise<Delivery>;
}

/** A hosted session that has another address on a new channel; `sid` is null where it could not be hosted again. */
export type Moved = { readonly was: Address; readonly sid: Address } | { readonly was: Address; readonly sid: null; readonly error: BrokerError };

export interface ChannelDetail {
  readonly cid: Address;
  /** The channel goes on, and nothing was lost. */
  readonly resumed: boolean;
  /** This channel replaces another: what was sent to that one meanwhile is gone. */
  readonly lost: boolean;
  readonly sessions: readonly Moved[];
}

export interface StateDetail {
  readonly state: State;
  /** Attempts in vain since a stream was open. */
  readonly attempt: number;
  /** Milliseconds until the next attempt. */
  readonly retryIn: number;
  readonly error: BrokerError | undefined;
}

export interface BrokerEvents<S extends Schema = Schema> {
  state: CustomEvent<StateDetail>;
  channel: CustomEvent<ChannelDetail>;
  message: CustomEvent<Incoming<S>>;
  /** A message that was `queued` has not been taken. */
  undelivered: CustomEvent<{ id: string; target: Address; reason: string }>;
  /** Something that a stranger wrote was dropped, since `check` refused it. */
  malformed: CustomEvent<{ origin: Address; error: unknown }>;
}

/**
 * One channel of a broker. It connects on the first `open`, `ready`, `host`, `watch`, `send` or `iceServers`, and comes back by
 * itself until it is closed. Neither construction nor listening connects.
 */
export class Broker<S extends Schema = Schema> extends EventTarget implements AsyncDisposable {
  /**
   * @param url where the broker is mounted: `/broker`, `https://example.org/broker`. Resolved here and now, as a page changes its
   *   address; a query goes with each request. Throws TypeError unless it is of `http:` or `https:`, without user and password.
   */
  constructor(url: string | URL, options?: BrokerOptions<S>);
  readonly state: State;
  /** The address of the channel; null without one. */
  readonly cid: Address | null;
  /** Connects, also again after a close. Tries at once where the next attempt waits for its time; otherwise does nothing. */
  open(): void;
  /** Resolves once the stream is open; rejects with BrokerError where there will be none (`denied`, `closed`, …). */
  ready(options?: Abortable): Promise<Address>;
  /** Hosts a session, and again by itself on a new channel. Waits for `within` milliseconds, 30,000 unless given; rejects with BrokerError. */
  host(spec?: SessionSpec<S>, options?: Pick<SendOptions, 'signal' | 'within'>): Promise<OwnSession<S>>;
  /** The listed sessions that pass the filter (`chat,!away`) now, page after page of `limit` sessions. */
  list(filter?: string, options?: Abortable & { limit?: number | undefined }): AsyncIterableIterator<Session<S>>;
  /** Returns a watch. Watchers of the same filter share one; a broker permits 16 different ones to a channel. */
  watch(filter?: string, options?: Abortable): Watch<S>;
  /**
   * Sends in order, and each message once: repeated with its number until the broker has answered, also after the connection was
   * away. Rejects with BrokerError: a refusal, `timeout` where it was not sent, `queue_full` (1,024 wait), `closed`, or
   * `unanswered` where it was sent and the time or the channel ended before the answer: nobody knows whether it has arrived.
   */
  send(target: Address, message: S['message'], options?: SendOptions): Promise<Delivery>;
  /**
   * The messages from the first `next()` on, as `for await` calls it. Throws `overflow` at a reader that leaves more than 1,024
   * unread; ends when the broker is closed.
   */
  messages(options?: Abortable): AsyncIterableIterator<Incoming<S>>;
  /**
   * For protocols on top: sees each message first, and takes it by returning true. What it throws is reported as an uncaught
   * error, and the message goes on. Returns what ends it.
   */
  intercept(interceptor: (incoming: { origin: Address; target: Address; message: unknown }) => unknown): () => void;
  /** What RTCPeerConnection takes, asked afresh before it runs out; empty where the application has configured none. */
  iceServers(options?: Abortable): Promise<RTCIceServer[]>;
  /** Closes the channel and its sessions. `keepalive` is for a page that goes away. Never rejects; once is enough. */
  close(options?: { keepalive?: boolean }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  addEventListener<K extends keyof BrokerEvents<S>>(type: K, listener: (event: BrokerEvents<S>[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof BrokerEvents<S>>(type: K, listener: (event: BrokerEvents<S>[K]) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

export interface OwnSession<S extends Schema = Schema> extends AsyncDisposable {
  /** Another one after a `channel` event that says so. */
  readonly sid: Address;
  readonly spec: SessionSpec<S>;
  /** Changes what `values` names. */
  update(values: SessionSpec<S>, options?: Abortable): Promise<void>;
  /** Never rejects; once is enough. */
  close(): Promise<void>;
}

/** A change of a watch, as its reader sees it: states in between are left out for a slow reader. */
export type Change<S extends Schema = Schema> =
  | { readonly type: 'add' | 'change' | 'remove'; readonly session: Session<S> }
  /** Everything that was there at the beginning has been told. Once. */
  | { readonly type: 'ready'; readonly count: number };

/**
 * A list as it changes, true across reconnects. `subscribe` and `snapshot` are what `useSyncExternalStore`, shallow refs and
 * stores want. When the broker refuses it, or ends the channel, `snapshot` is empty, `error` says why, and iteration throws that.
 */
export interface Watch<S extends Schema = Schema> extends AsyncIterable<Change<S>>, Disposable {
  readonly ready: Promise<void>;
  /** The same array until something changes; empty until the list is ready. */
  readonly snapshot: readonly Session<S>[];
  readonly error: BrokerError | undefined;
  /** Called once for all that changed together. Returns what ends it. */
  subscribe(changed: () => void): () => void;
  close(): void;
}

export type RefusalCode =
  | 'denied' | 'unknown_target' | 'unknown_channel' | 'unknown_session' | 'wrong_key' | 'too_large' | 'rate_limited' | 'target_busy'
  | 'too_many_sessions' | 'too_many_watches' | 'at_capacity' | 'shutting_down' | 'invalid_request' | 'invalid_filter' | 'invalid_tag';

/** A refusal of the broker, or the lack of an answer. Decide by `code`; the message is for people. */
export class BrokerError extends Error {
  constructor(code: string, message: string, status?: number, retryAfter?: number);
  /** A refusal's code, or one of the client's own. */
  readonly code:
    | RefusalCode | 'unreachable' | 'timeout' | 'unanswered' | 'queue_full' | 'overflow' | 'closed' | 'revoked' | 'superseded'
    | (string & {});
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  /** Seconds, as the broker says; 0 without, which includes a message that travelled with others and was not the first of them. */
  readonly retryAfter: number;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
}
