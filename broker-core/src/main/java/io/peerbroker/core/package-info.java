/** The broker: channels, sessions, routing and discovery, without HTTP. */
@NullMarked
package io.peerbroker.core;

import org.jspecify.annotations.NullMarked;
