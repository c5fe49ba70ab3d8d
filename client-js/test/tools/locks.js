/** The Web Locks of one origin, as far as the client uses them: exclusive ones, with `signal` and `steal`, and `query`. */
export class FakeLocks {
  #held = new Map(); // name -> request
  #pending = new Map(); // name -> requests

  request(name, options, callback) {
    if (!callback) [options, callback] = [{}, options];
    const { signal, steal } = options;
    return new Promise((resolve, reject) => {
      const request = { name, callback, resolve, reject };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => {
        const queue = this.#pending.get(name) ?? [];
        if (!queue.includes(request)) return;
        queue.splice(queue.indexOf(request), 1);
        reject(signal.reason);
      });
      if (steal) {
        this.#held.get(name)?.reject(new DOMException('stolen', 'AbortError'));
        this.#grant(request);
      } else {
        if (!this.#pending.has(name)) this.#pending.set(name, []);
        this.#pending.get(name).push(request);
        this.#next(name);
      }
    });
  }

  async query() {
    return { held: [...this.#held.keys()].map((name) => ({ name })) };
  }

  #next(name) {
    if (this.#held.has(name)) return;
    const request = this.#pending.get(name)?.shift();
    if (request) this.#grant(request);
  }

  async #grant(request) {
    const { name, callback, resolve, reject } = request;
    this.#held.set(name, request);
    try {
      resolve(await callback());
    } catch (error) {
      reject(error);
    }
    if (this.#held.get(name) !== request) return; // stolen
    this.#held.delete(name);
    this.#next(name);
  }
}
