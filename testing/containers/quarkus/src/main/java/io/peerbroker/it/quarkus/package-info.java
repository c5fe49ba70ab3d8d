/** What the Quarkus application has beside the broker's servlet. */
@NullMarked
package io.peerbroker.it.quarkus;

import org.jspecify.annotations.NullMarked;
