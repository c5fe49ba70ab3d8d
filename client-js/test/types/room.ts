// A video call of four, as a page writes it.
import { Broker, Room, type Member } from '@peerbroker/client';

const tracks = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
const room = new Room(new Broker('/broker'), 'tea-time', { tracks, max: 3, metadata: { name: 'Ada' } });
const videos = new Map<Member, HTMLVideoElement>();

room.addEventListener('join', ({ detail: member }) => {
  const video = document.createElement('video');
  video.autoplay = true;
  video.title = String(member.metadata['name']);
  videos.set(member, video);
  document.body.append(video);
});
room.addEventListener('track', ({ detail: { member, streams } }) => {
  const video = videos.get(member);
  if (video) video.srcObject = streams[0] ?? null;
});
room.addEventListener('leave', ({ detail: member }) => {
  videos.get(member)?.remove();
  videos.delete(member);
});
const joined = ({ detail }: CustomEvent<Member>) => console.log(detail.fingerprint);
room.addEventListener('join', joined);
room.removeEventListener('join', joined);
const screen = await navigator.mediaDevices.getDisplayMedia();
for (const track of screen.getTracks()) {
  room.addTrack(track, screen);
  track.addEventListener('ended', () => room.removeTrack(track));
}
await room.ready;

// @ts-expect-error: the room decides whom it calls and from where
new Room(new Broker('/broker'), 'tea-time', { origin: room });
