/** The runnable broker, and one runnable file per question. */
@NullMarked
package io.peerbroker.examples;

import org.jspecify.annotations.NullMarked;
