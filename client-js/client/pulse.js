/** A look every so often, in milliseconds; and after so many in silence the path is dead. The polite side has more patience. */
const LOOK = 5_000;
const MOST_SILENT = 3;

/**
 * Notices a path over which nothing comes although ICE calls it connected: after two searches close together, Chromium and Firefox
 * can be left with one. Every packet is a sign of life, since a message can be slow behind large ones.
 */
export class Pulse {
  #connection;
  #dead;
  #watch = null;
  #timer = 0;

  /** @param dead called once nothing has come since a watch began */
  constructor(connection, dead) {
    this.#connection = connection;
    this.#dead = dead;
  }

  /** Watches a path that is new, over which both sides have just said something, until something comes. */
  async watch(isPolite) {
    this.stop();
    const watch = (this.#watch = {});
    let before = await received(this.#connection);
    for (let silent = 0; silent < MOST_SILENT + isPolite;) {
      if (watch !== this.#watch) return;
      // Looks are counted, not time, since a page may sleep.
      await new Promise((resolve) => (this.#timer = setTimeout(resolve, LOOK)));
      if (this.#connection.connectionState === 'connected') silent++;
      const bytes = await received(this.#connection);
      if (bytes > before) return;
      before = bytes;
    }
    if (watch === this.#watch) this.#dead();
  }

  /** Something has come, or nothing can come any longer. */
  stop() {
    clearTimeout(this.#timer);
    this.#watch = null;
  }
}

/** All bytes that have come but those of ICE itself; a pair of candidates that is given up takes its own along. */
async function received(connection) {
  let sum = 0;
  try {
    for (const { type, bytesReceived = 0 } of (await connection.getStats()).values()) {
      if (/^(transport|candidate-pair)$/.test(type)) sum += bytesReceived;
    }
  } catch {
    // A message tells, too.
  }
  return sum;
}
