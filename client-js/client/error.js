/** A refusal of the broker, or the lack of an answer. `code` is stable and what a program decides by; the message is for people. */
export class BrokerError extends Error {
  name = 'BrokerError';

  constructor(code, message, status = 0, retryAfter = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.retryable = retryAfter > 0 || /^(unreachable|queue_full|(request_)?timeout)$/.test(code);
  }
}

/** A promise with its ends; nobody needs to handle its rejection. */
export function gate() {
  const ends = {};
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  ends.promise.catch(() => {});
  return ends;
}

/** Settles as `promise` does, or rejects with the signal's reason once that aborts. */
export async function abortable(promise, signal) {
  const aborted = gate();
  const abort = () => aborted.reject(signal.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
