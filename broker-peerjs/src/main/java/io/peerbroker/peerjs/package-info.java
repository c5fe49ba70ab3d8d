/**
 * The broker for pages that use PeerJS: its server's HTTP routes and WebSocket, by {@link
 * io.peerbroker.peerjs.PeerJsServlet}.
 */
@NullMarked
package io.peerbroker.peerjs;

/* From the wire inwards:
 *
 * PeerJsServlet   the HTTP routes, and the handshakes
 * PeerJsSettings  what the application decides; IdPolicy: who may have which id
 * PeerSocket      one WebSocket: takes frames in, and writes one at a time
 * FrameReader     takes a client's frames in, within bounds
 * Peers           the ids, and the way of a frame from one to another
 * WaitingFrames   frames for ids that nobody has yet
 * Frames          the texts
 */

import org.jspecify.annotations.NullMarked;
