/**
 * What a container with class loaders of its own shares with its test. The loaders delegate this
 * package, those of broker-core and those of broker-tck to the test's.
 */
@NullMarked
package io.peerbroker.it.handover;

import org.jspecify.annotations.NullMarked;
