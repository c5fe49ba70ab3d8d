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
