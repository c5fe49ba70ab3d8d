export * from './client/broker.js';
export * from './client/peer.js';
export * from './client/room.js';
