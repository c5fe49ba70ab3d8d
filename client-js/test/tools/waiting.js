/**
 * Resolves with what `holds` returns, once that is true or resolves with something true. Rejects after so many milliseconds,
 * with what was waited for; a function for `what` says it then.
 */
export async function until(holds, what = String(holds), milliseconds = 20_000) {
  const end = performance.now() + milliseconds;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (performance.now() > end) throw new Error(`In vain: ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves with the detail of the next event that passes. Rejects after twenty seconds. */
export function once(target, type, passes = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`In vain: ${type}`)), 20_000);
    const listener = ({ detail }) => {
      if (!passes(detail)) return;
      clearTimeout(timer);
      target.removeEventListener(type, listener);
      resolve(detail);
    };
    target.addEventListener(type, listener);
  });
}

/** Lets every promise that can settle do so, also on fake time. */
export async function settle() {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}
