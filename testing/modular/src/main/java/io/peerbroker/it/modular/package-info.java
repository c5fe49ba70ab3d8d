/** An application with a module descriptor. */
@NullMarked
package io.peerbroker.it.modular;

import org.jspecify.annotations.NullMarked;
