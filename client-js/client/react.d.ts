import type { Broker, Schema, Session, State } from './broker.js';

/**
 * The sessions that pass the filter, true across reconnects, and also after a close once the broker is open again. `undefined` as broker
 * (on the server, say) shows nobody.
 */
export function useWatch<S extends Schema>(broker: Broker<S> | undefined, filter?: string): readonly Session<S>[];

/** The state of the broker's connection, which it opens; closing is for the one who has made the broker. */
export function useBrokerState<S extends Schema>(broker: Broker<S>): State;
