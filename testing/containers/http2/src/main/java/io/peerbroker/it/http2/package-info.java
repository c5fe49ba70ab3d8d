/** The kit of tests over HTTP/2, and the client that it uses. */
@NullMarked
package io.peerbroker.it.http2;

import org.jspecify.annotations.NullMarked;
