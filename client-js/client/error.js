/**
 * A refusal of the broker, or the lack of an answer. `code` is stable and what a program decides by; the message is for people.
 */
export class BrokerError extends Error {
  constructor(code, message, { status = 0, retryAfter = 0, cause } = {}) {
    super(message, { cause });
    this.name = 'BrokerError';
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later: at once, or after `retryAfter` seconds. */
  get retryable() {
    return this.retryAfter > 0 || ['unreachable', 'timeout', 'queue_full', 'request_timeout'].includes(this.code);
  }
}

/**
 * Returns what a response that is no success means. A proxy's answer has no `code`, so it answers nothing: the request may
 * or may not have reached the broker.
 */
export async function refusal(response) {
  const problem = await response.json().catch(() => null);
  const { status } = response;
  const code = problem?.code;
  return typeof code === 'string'
    ? new BrokerError(code, problem.detail, { status, retryAfter: +response.headers.get('Retry-After') || 0 })
    : new BrokerError('unreachable', `Status ${status} came from something that is not the broker: check its URL.`, { status });
}

/** Settles as `promise` does, or rejects with the signal's reason once that aborts. */
export function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
