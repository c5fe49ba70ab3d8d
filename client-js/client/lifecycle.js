/**
 * Tells when a page sleeps, wakes and leaves. Outside a page (Node, SSR) nothing ever happens; in a worker only `online`.
 *
 * A page in the back/forward cache must have no open stream, or the browser drops it; and browsers differ about what
 * they do with one that is frozen. So the page lets go of its stream and comes back with another.
 */
export function pageLifecycle({ sleep, wake: awake, leave, hide = () => {} }) {
  const listening = new AbortController();
  const { signal } = listening;
  const { document } = globalThis;
  const on = (target, type, listener) => target?.addEventListener?.(type, listener, { signal });
  // A page that is rendered in advance may never be seen.
  const wake = () => document?.prerendering || awake();
  // The connection may belong to the network that is gone, though nothing says so.
  on(globalThis, 'online', () => {
    sleep();
    wake();
  });
  on(globalThis, 'pageshow', wake);
  on(globalThis, 'pagehide', ({ persisted }) => (persisted ? sleep() : leave()));
  on(document, 'visibilitychange', () => (document.hidden ? hide() : wake()));
  on(document, 'freeze', sleep);
  on(document, 'resume', wake);
  on(document, 'prerenderingchange', wake);
  if (document?.prerendering) sleep();
  return () => listening.abort();
}
