/** What became of a list of milliseconds, in words. */
export function spread(times) {
  const sorted = times.map(Math.round).sort((one, other) => one - other);
  return `${sorted[Math.floor(sorted.length / 2)]} ms (median of ${sorted.length}), ${sorted[0]} to ${sorted.at(-1)} ms`;
}
