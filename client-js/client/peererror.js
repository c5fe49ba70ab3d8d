/** Why there is no connection, or no longer one. `code` is stable, `message` is for people. */
export class PeerError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'PeerError';
    this.code = code;
  }
}
