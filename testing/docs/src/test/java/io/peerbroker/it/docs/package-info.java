/** What the documents show is compiled and run. */
@NullMarked
package io.peerbroker.it.docs;

import org.jspecify.annotations.NullMarked;
