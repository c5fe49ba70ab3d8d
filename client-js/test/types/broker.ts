import { Broker, BrokerError, type Address, type Incoming, type Session } from '@peerbroker/client';
import { eventSource } from '@peerbroker/client/eventsource';
import { useBrokerState, useWatch } from '@peerbroker/client/react';
import { webSocket } from '@peerbroker/client/websocket';

interface Chess {
  metadata: { name: string; elo: number };
  message: { move: string };
  call: never;
}

export async function play(token: () => Promise<string>): Promise<void> {
  await using broker = new Broker<Chess>('/broker', {
    headers: async () => ({ authorization: await token() }),
    credentials: 'include',
    lifecycle: ({ wake }) => {
      wake();
    },
    check: { metadata: (json) => json as Chess['metadata'] },
  });
  const session = await broker.host({ tags: ['chess'], listed: true, metadata: { name: 'Ada', elo: 1500 } });
  broker.addEventListener('channel', ({ detail: { cid, lost, sessions } }) => {
    for (const moved of sessions) if (moved.sid === null) throw moved.error;
    const known: Address = cid;
    console.log(known, lost);
  });
  broker.addEventListener('message', ({ detail }) => void detail.reply({ move: detail.message.move }));
  for await (const { sid, metadata } of broker.list('chess,!busy', { limit: 100 })) {
    if (metadata.elo > 1400) await broker.send(sid, { move: 'e4' }, { origin: session.sid, within: 5_000 });
  }
  using watch = broker.watch('chess');
  await watch.ready;
  const first: Session<Chess> | undefined = watch.snapshot[0];
  for await (const change of watch) {
    if (change.type === 'ready') console.log(change.count);
    else console.log(change.session.metadata.name, first?.own);
  }
  const incoming: AsyncIterable<Incoming<Chess>> = broker.messages({ signal: AbortSignal.timeout(1_000) });
  void incoming;
  new RTCPeerConnection({ iceServers: await broker.iceServers() });
  try {
    await broker.ready();
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'denied' && error.retryable) console.log(error.retryAfter);
  }

  // @ts-expect-error a plain string is no address
  await broker.send('somebody', { move: 'e4' });
  // @ts-expect-error another message than the schema's
  await broker.send(session.sid, { text: 'e4' });
  // @ts-expect-error other metadata than the schema's
  await broker.host({ metadata: { name: 'Ada' } });
  // @ts-expect-error the snapshot is read only
  watch.snapshot.push();
  // @ts-expect-error a state that there is not
  if (broker.state === 'ended') return;
}

new Broker(new URL('https://example.org/broker'), { transport: eventSource(EventSource) });
new Broker('/broker', { transport: 'websocket' });
new Broker('/broker', { transport: webSocket(WebSocket) });
new Broker('/broker', {
  transport: (url, init, on) => webSocket(WebSocket)(`${url}&access_token=mine`, { ...init, headers: undefined }, { ...on, retry() {} }),
});
// @ts-expect-error a transport that there is not
new Broker('/broker', { transport: 'sockets' });
// @ts-expect-error no class of WebSockets
webSocket(EventSource);
const names: readonly string[] = useWatch(new Broker<Chess>('/broker')).map(({ metadata }) => metadata.name);
const state: string = useBrokerState(new Broker('/broker'));
console.log(names, state);
