export * from './client/broker.js';
export * from './client/identity.js';
export * from './client/peer.js';
export * from './client/room.js';
