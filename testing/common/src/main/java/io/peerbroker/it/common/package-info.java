/** What the containers' tests share. */
@NullMarked
package io.peerbroker.it.common;

import org.jspecify.annotations.NullMarked;
