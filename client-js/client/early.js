/** What comes before it is proven who says it waits here, so that it happens afterwards, in order. */
export class Early {
  #actions = [];
  #room;

  /** @param room how many bytes may wait */
  constructor(room) {
    this.#room = room;
  }

  /** Does it, now or later. Returns whether there was room for its bytes. */
  add(action, bytes = 0) {
    if (!this.#actions) {
      action();
      return true;
    }
    this.#room -= bytes + OVERHEAD;
    if (this.#room >= 0) this.#actions.push(action);
    return this.#room >= 0;
  }

  /** Nothing waits any longer. */
  open() {
    const actions = this.#actions ?? [];
    this.#actions = null;
    for (const action of actions) action();
  }
}

/** What an action takes besides its bytes, about. */
const OVERHEAD = 256;
