/// <reference lib="esnext.disposable" />
import type { Broker, Schema } from './broker.js';
import type { Peer, PeerOptions } from './peer.js';

export interface RoomOptions<S extends Schema = Schema> extends Omit<PeerOptions<S>, 'call' | 'origin' | 'tracks'> {
  /** Sent to each member from its `join` on, and to nobody else. */
  tracks?: MediaStream | Iterable<MediaStreamTrack>;
  /** What the others see of this client, beside its fingerprint: a JSON object. */
  metadata?: Record<string, unknown>;
  /** Milliseconds until the broker has listed this client: 30,000 unless given. `Infinity` waits as long as the broker tries. */
  within?: number;
  /** The most others: 8 unless given. Everybody sends to everybody, so with video a dozen is much. */
  max?: number;
}

/** Another client in the room, connected and proven. */
export interface Member<S extends Schema = Schema> {
  readonly peer: Peer<S>;
  /** A stranger wrote it. */
  readonly metadata: { readonly fingerprint: string; readonly [name: string]: unknown };
  /** By which the client is known, whatever its address: the same after a new start of the broker. */
  readonly fingerprint: string;
}

export interface RoomEvents<S extends Schema = Schema> {
  join: CustomEvent<Member<S>>;
  /** Once for each `join`, unless this client leaves first. */
  leave: CustomEvent<Member<S>>;
  /** Never before the member's `join`. */
  track: CustomEvent<{ member: Member<S>; track: MediaStreamTrack; streams: readonly MediaStream[] }>;
}

/**
 * Everybody with a tag meets everybody. A room hosts a session with the tag, and has one peer to each other session with it; it
 * declines the calls of clients that the list does not show. A member is recognised after a new start of the broker, and its
 * connection goes on.
 *
 * A `check` of the broker's metadata must let the member `fingerprint` pass, or the room closes with `invalid_request`. A listener of `Peer.answer` that is registered later is
 * asked first: it returns `false` for the calls that are not its own.
 */
export class Room<S extends Schema = Schema> extends EventTarget implements AsyncDisposable {
  constructor(broker: Broker<S>, tag: string, options?: RoomOptions<S>);
  /** Resolves once those who were there are known; rejects if the room closes before. */
  readonly ready: Promise<void>;
  /**
   * Never rejects: undefined after an own `close()`, otherwise why the room has closed. The broker refuses (`denied`, …), was away
   * for too long (`timeout`), or has ended (`revoked`, `closed`, …). To go on, make another room, with the same broker.
   */
  readonly closed: Promise<Error | undefined>;
  readonly members: readonly Member<S>[];
  /** Sends a track to the members and to those to come, such as a camera that is switched on, or a screen. */
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): void;
  /** Ends that, also for a track of the option `tracks`. The track itself goes on: stop it where nothing else needs it. */
  removeTrack(track: MediaStreamTrack): void;
  /** Leaves the room; the broker stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;

  addEventListener<K extends keyof RoomEvents<S>>(type: K, listener: (event: RoomEvents<S>[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof RoomEvents<S>>(type: K, listener: (event: RoomEvents<S>[K]) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}
