/**
 * The broker over WebSockets, below the servlet's path. There is nothing to call: beside {@code
 * broker-servlet} this module serves {@code /socket} by itself.
 */
@NullMarked
package io.peerbroker.websocket;

import org.jspecify.annotations.NullMarked;
