import { abortable, gate } from './error.js';
import { pageLifecycle } from './lifecycle.js';

/** A browser makes six connections of HTTP/1.1 to an origin, for all its pages together: this many streams leave one for requests. */
const STREAMS = 5;

/** For so long a page has its stream although others wait for one: milliseconds. */
const TURN = 5_000;

/** The same for a hidden page, while a visible one waits. */
const GLANCE = 1_000;

/**
 * The life-cycle of a page that shares its browser's connections with other pages. Over HTTP/1.1 at most five pages have a stream,
 * or the requests of all of them would hang: visible ones come first, hidden ones take turns, and one without a stream sleeps.
 *
 * Each page that has a stream holds a lock named `peerbroker <rank> <since> <random>`. So all of them are known, in the order in
 * which they make room: hidden ones first, and of these the one that has had its stream for the longest. Its lock is stolen.
 */
export function sharedLifecycle(on) {
  const { document, navigator, performance } = globalThis;
  const locks = navigator?.locks;
  if (!locks || !/^http\/1/.test(performance.getEntriesByType('navigation')[0]?.nextHopProtocol)) return pageLifecycle(on);

  let waiting;
  let place;
  let stay;

  async function take() {
    waiting?.abort();
    const { signal } = waiting = new AbortController();
    const rank = document.hidden ? 0 : 1;
    // One page at a time counts.
    const attempt = () => locks.request('peerbroker', { signal }, () => hold(rank, signal));
    try {
      if (place) await attempt();
      // The first that came is served first, and the others need no timer.
      else await locks.request('peerbroker' + rank, { signal }, async () => {
        while (!(await attempt())) await abortable(new Promise((resolve) => setTimeout(resolve, GLANCE)), signal);
      });
    } catch {
      // A page whose storage is blocked has no locks.
      if (!signal.aborted) on.wake();
    }
  }

  /** Returns whether there is a place for this page, if need be that of another. */
  async function hold(rank, signal) {
    const all = await locks.query();
    const places = all.held.map(({ name }) => name).filter((name) => /^peerbroker /.test(name) && name !== place).sort();
    if (places[STREAMS - 1]) {
      const [, otherRank, since] = places[0].split(' ');
      // A clock may be set back.
      if (Math.abs(Date.now() - since) < (rank > otherRank ? GLANCE : TURN)) return false;
      await locks.request(places[0], { steal: true }, () => {});
    }
    if (signal.aborted) return true;
    if (!place) on.wake();
    stay?.resolve();
    const mine = stay = gate();
    place = `peerbroker ${rank} ${Date.now()} ${Math.random()}`;
    locks.request(place, () => mine.promise).catch(() => {
      if (mine !== stay) return;
      sleep();
      take();
    });
    return true;
  }

  function letGo() {
    waiting?.abort();
    stay?.resolve();
    place = stay = null;
  }

  function sleep() {
    letGo();
    on.sleep();
  }

  const forget = pageLifecycle({
    sleep,
    wake() {
      if (place) on.wake();
      take();
    },
    hide: () => waiting.signal.aborted || take(),
    leave: on.leave,
  });
  sleep();
  take();
  return () => {
    forget();
    letGo();
  };
}
