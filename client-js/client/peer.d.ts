/// <reference lib="esnext.disposable" />
import type { Abortable, Address, Broker, OwnSession, Schema } from './broker.js';

/**
 * `calling` until the other side answers; `connecting` until a path is found; `connected`; `wavering` while the path is lost and
 * another is looked for; `closed`.
 */
export type PeerState = 'calling' | 'connecting' | 'connected' | 'wavering' | 'closed';

export interface PeerOptions<S extends Schema = Schema> extends Abortable {
  /**
   * For every RTCPeerConnection; its ICE servers come after the broker's. With `certificates` the other side sees the same
   * fingerprint in every call.
   */
  rtc?: RTCConfiguration;
  /** Sent from the start. */
  tracks?: MediaStream | Iterable<MediaStreamTrack>;
  /** How this side's `send` delivers: reliable and in order unless given. `false` from the caller: no data channel. */
  channel?: false | (RTCDataChannelInit & { label?: string });
  /** Told before the other side accepts. */
  call?: S['call'];
  /** From where the call comes: an own session, or the channel unless given. */
  origin?: Address | Pick<OwnSession<S>, 'sid'>;
  /**
   * Milliseconds until the other side has accepted: 15,000 unless given, which is short where a person has to. The call rings
   * there for as long, and for five minutes at most.
   */
  answerWithin?: number;
  /** Milliseconds after that until a path is found: 20,000 unless given. */
  connectWithin?: number;
  /** Where the platform has none: werift, @roamhq/wrtc, react-native-webrtc. */
  RTCPeerConnection?: new (configuration?: RTCConfiguration) => RTCPeerConnection;
}

/** A call that rings until it is accepted, declined or over. */
export interface Call<S extends Schema = Schema> {
  readonly from: Address;
  /** The own address that was called. */
  readonly to: Address;
  /** What the caller tells. A stranger wrote it. */
  readonly call: S['call'];
  /** Aborts once the call no longer rings. */
  readonly signal: AbortSignal;
  /** Throws PeerError if the call no longer rings. */
  accept(options?: PeerOptions<S>): Peer<S>;
  decline(reason?: string): void;
}

/** The event's `detail`, by the event's name. */
export interface PeerEvents {
  state: CustomEvent<PeerState>;
  /** Strings, and ArrayBuffers for all else, of the data channel. Nothing comes before `opened`. */
  message: CustomEvent<string | ArrayBuffer>;
  track: CustomEvent<RTCTrackEvent>;
  /** A channel that the other application has opened on its `connection`. */
  datachannel: CustomEvent<RTCDataChannel>;
  /** A fresh RTCPeerConnection, with the same tracks, took the place of one that was beyond help. What was on its way is lost. */
  connection: CustomEvent<RTCPeerConnection>;
  route: CustomEvent<'direct' | 'relay'>;
}

/**
 * A connection to one other client, from the call to the end, whatever happens to the network and to the broker. It looks for
 * another path by itself, on a fresh RTCPeerConnection where necessary. Once it is open, it negotiates over itself, so that a
 * call outlives its broker.
 */
export class Peer<S extends Schema = Schema> extends EventTarget implements AsyncDisposable {
  /**
   * Calls a channel or session. When both sides call each other at the same time, from and to the same two addresses, the two
   * calls become one. Two own sessions can call each other. Throws PeerError where there is no RTCPeerConnection.
   */
  static call<S extends Schema = Schema>(broker: Broker<S>, target: Address, options?: PeerOptions<S>): Peer<S>;
  /**
   * Answers calls: `listener` is called once for each. One that returns `false` leaves the call to the listener before; that it
   * rejects with PeerError, since the caller has left while it was answering, needs no handling.
   * `options` hold for every call that is accepted. Returns a function that ends it; what was accepted goes on.
   */
  static answer<S extends Schema = Schema>(broker: Broker<S>, listener: (call: Call<S>) => unknown, options?: PeerOptions<S>): () => void;
  private constructor();

  /** Yours: add tracks and channels as ever. Another one after the event `connection`. */
  readonly connection: RTCPeerConnection;
  readonly state: PeerState;
  /** The address of the other side; another one after it has a new channel. */
  readonly target: Address;
  /**
   * The fingerprint of the certificate that the other side has proved to own, `sha-256 AB:CD:…`; null until `opened`, and where
   * the platform does not say. It stays what it is: a fresh connection has the same certificate, or one that the other side has
   * named over the first. Any other ends the peer with `other_identity`.
   */
  readonly fingerprint: string | null;
  readonly route: 'direct' | 'relay' | null;
  /** Rejects with PeerError if it closes before. */
  readonly opened: Promise<this>;
  /** Never rejects; undefined after an own `close()`. */
  readonly closed: Promise<PeerError | undefined>;

  /** Adds a track, now or to an open connection, and to each connection to come. */
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender;
  /**
   * Sends over the data channel: one after the other, and none before it is open. Resolves when at most 256 KiB wait to be sent.
   * Rejects with PeerError: `too_large` beyond what the other side takes, `no_channel` where there is none, otherwise why the
   * peer closed; and with TypeError where `data` is something else.
   */
  send(data: string | Blob | ArrayBuffer | ArrayBufferView, options?: Abortable): Promise<void>;
  /**
   * What the other side sends from the first `next()` on, as `for await` calls it. Ends when the peer closes, which it also does
   * at a reader that leaves more than 10,000 messages or 16 MiB unread; a character counts two bytes.
   */
  messages(options?: Abortable): AsyncGenerator<string | ArrayBuffer, void, void>;
  /** Looks for another path at once, as it does by itself when the network has changed. */
  restart(): Promise<void>;
  /** Hangs up; again changes nothing. */
  close(reason?: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;

  addEventListener<K extends keyof PeerEvents>(type: K, listener: (event: PeerEvents[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof PeerEvents>(type: K, listener: (event: PeerEvents[K]) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** `closed` is this side's own; `signalling` has its `cause`. */
export type PeerErrorCode =
  | 'declined' | 'no_answer' | 'no_route' | 'lost' | 'left' | 'closed' | 'signalling' | 'unsupported' | 'too_large' | 'overflow'
  | 'other_identity' | 'own_address' | 'no_channel';

/** Why there is no connection, or no longer one. `code` is stable, `message` is for people. */
export class PeerError extends Error {
  constructor(code: PeerErrorCode, message?: string, options?: ErrorOptions);
  readonly code: PeerErrorCode;
}
