/** Runs the tests of the npm package in {@code client-js}. */
@NullMarked
package io.peerbroker.it.browserclient;

import org.jspecify.annotations.NullMarked;
