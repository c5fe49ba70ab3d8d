import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

const NOBODY = [];
const never = () => () => {};

/** The sessions that pass the filter, true across reconnects; `undefined` as broker (on the server, say) shows nobody. */
export function useWatch(broker, filter = '') {
  const held = useRef(null);
  // A watch begins with its subscription, so that a render that is thrown away leaves nothing behind.
  const subscribe = useMemo(() => (broker ? (changed) => {
    const watch = broker.watch(filter);
    held.current = watch;
    const unsubscribe = watch.subscribe(changed);
    changed();
    return () => {
      unsubscribe();
      watch.close();
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
