/** What one of many pages does, told by its test: all that it says is JSON. */
import { Broker } from '../../client/broker.js';
import { until as waitFor } from '../tools/waiting.js';

let broker;
let session;
let list;
const messages = [];
const events = [];

function until(holds, what, milliseconds) {
  return waitFor(holds, () => `${what}. ${JSON.stringify({ state: broker.state, messages, list: list.snapshot, error: list.error })}`, milliseconds);
}

export async function open(url, tag, metadata, options) {
  broker = new Broker(url, options);
  broker.addEventListener('message', ({ detail: { message } }) => messages.push(message));
  broker.addEventListener('state', ({ detail: { state } }) => events.push(`${Math.round(performance.now())} ${state}`));
  broker.addEventListener('channel', ({ detail: { resumed, lost } }) => events.push({ resumed, lost }));
  addEventListener('pageshow', ({ persisted }) => events.push({ persisted }));
  session = await broker.host({ tags: [tag], listed: true, metadata });
  list = broker.watch(tag);
  return session.sid;
}

export const cid = () => broker.cid;
export const state = () => broker.state;
export const isIn = (wanted) => until(() => broker.state === wanted, wanted);
export const log = () => events;
export const isHidden = () => document.hidden;
export const send = async (target, message) => {
  const start = performance.now();
  await broker.send(target, message, { origin: session.sid });
  return performance.now() - start;
};
/** Resolves with all messages once there are so many. */
export const got = (count, milliseconds) => until(() => messages.length >= count && messages, `${count} messages`, milliseconds);
export const gotLast = (message) => until(() => messages.at(-1) === message && messages, `the message ${message}`);
export const isOnline = (wanted) => until(() => navigator.onLine === wanted, wanted ? 'online' : 'offline');
export const sees = (count) => until(() => list.snapshot.length === count && list.snapshot.map(({ metadata }) => metadata).sort(), `${count} sessions`);
/** Milliseconds until the broker has answered a request that needs no stream. */
export const ask = async () => {
  const start = performance.now();
  for await (const { sid } of broker.list('', { limit: 1 })) if (sid) break;
  return performance.now() - start;
};
