/**
 * The protocol's requests, answers and events as JSON, for transports: nothing here knows of HTTP,
 * servlets or sockets.
 */
@NullMarked
package io.peerbroker.json;

import org.jspecify.annotations.NullMarked;
