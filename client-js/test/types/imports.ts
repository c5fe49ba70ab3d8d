// Every entry of the package has declarations, under the name by which an application imports it.
import '@peerbroker/client';
import '@peerbroker/client/broker';
import '@peerbroker/client/eventsource';
import '@peerbroker/client/identity';
import '@peerbroker/client/peer';
import '@peerbroker/client/room';
import '@peerbroker/client/websocket';
import '@peerbroker/client/react';
