import { Broker, Peer, PeerError, identity, type Address } from '@peerbroker/client';

interface Chess {
  metadata: { name: string };
  message: never;
  call: { colour: 'white' | 'black' };
}

declare const broker: Broker<Chess>;
declare const sid: Address;

const stop: () => void = Peer.answer(broker, async (call) => {
  const colour: 'white' | 'black' = call.call.colour;
  const peer = await call.accept({ connectWithin: 10_000 }).opened;
  for await (const said of peer.messages()) console.log(colour, said);
});

const peer = Peer.call(broker, sid, { call: { colour: 'white' }, channel: { ordered: false, label: 'moves' } });
peer.addEventListener('state', ({ detail }) => {
  if (detail === 'wavering') stop();
});
peer.addEventListener('track', ({ detail: { track, streams } }) => peer.addTrack(track, ...streams));
const error: PeerError | undefined = await peer.closed;
if (error?.code === 'declined') await peer.close();
await (await peer.opened).send(new Uint8Array(1));

// @ts-expect-error: a plain string is no address
Peer.call(broker, 'bob');
// @ts-expect-error: what is told with a call is the schema's
Peer.call(broker, sid, { call: { colour: 'red' } });
// @ts-expect-error: a peer comes from `call` or `accept`
new Peer();
// @ts-expect-error: no such code
error?.code === 'gone';

const { certificates, fingerprint } = await identity();
await new Broker('/broker').host({ metadata: { name: 'Ada', fingerprint } });
Peer.answer(broker, (call) => call.accept(), { rtc: { certificates } });
