/** The tests that every transport of the broker passes. */
@NullMarked
package io.peerbroker.tck;

import org.jspecify.annotations.NullMarked;
