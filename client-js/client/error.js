/** A refusal of the broker, or the lack of an answer. `code` is stable and what a program decides by; the message is for people. */
export class BrokerError extends Error {
  name = 'BrokerError';

  constructor(code, message, status = 0, retryAfter = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.retryable = retryAfter > 0 || /^unreachable|(_full|_busy|rate_limited|at_capacity|_down|timeout)$/.test(code);
  }
}

/** The same where it is one; otherwise nobody was reached, whatever code fetch, or the application's own function, has for that. */
export function brokerError(error) {
  return error instanceof BrokerError ? error : new BrokerError('unreachable', `No answer: ${error}`);
}

/** A promise with its ends; nobody needs to handle its rejection. */
export function gate() {
  const ends = {};
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  ends.promise.catch(() => {});
  return ends;
}

/** Calls `listener` once the signal aborts, or at once where it has. Returns what ends that. */
export function onAbort(signal, listener) {
  if (signal?.aborted) listener();
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}

/** Settles as `promise` does, or rejects with the signal's reason once that aborts. */
export async function abortable(promise, signal) {
  const aborted = gate();
  const forget = onAbort(signal, () => aborted.reject(signal.reason));
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    forget();
  }
}
