import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

const NOBODY = [];
const never = () => () => {};

/** The sessions that pass the filter. See react.d.ts for the contract. */
export function useWatch(broker, filter = '') {
  const held = useRef(null);
  // A watch begins with its subscription, so that a render that is thrown away leaves nothing behind.
  const subscribe = useMemo(() => (broker ? (changed) => {
    const begin = () => {
      held.current?.close();
      held.current = broker.watch(filter);
      held.current.subscribe(changed);
      changed();
    };
    // A watch that was refused, or ended with the broker, does not come back by itself.
    const again = () => broker.state === 'open' && held.current.error && begin();
    broker.addEventListener('state', again);
    begin();
    return () => {
      broker.removeEventListener('state', again);
      held.current.close();
      held.current = null;
    };
  } : never), [broker, filter]);
  return useSyncExternalStore(subscribe, () => held.current?.snapshot ?? NOBODY, () => NOBODY);
}

/** The state of the broker's connection. Opens it; closing is for the one who has made the broker. */
export function useBrokerState(broker) {
  const subscribe = useMemo(() => (changed) => {
    broker.addEventListener('state', changed);
    return () => broker.removeEventListener('state', changed);
  }, [broker]);
  useEffect(() => {
    // A component that comes while the next attempt waits does not hasten it.
    if (!/connecting|away/.test(broker.state)) broker.open();
  }, [broker]);
  return useSyncExternalStore(subscribe, () => broker.state, () => 'idle');
}
