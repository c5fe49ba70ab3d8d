/** The documents' statements about Spring Boot, on two generations of it. */
@NullMarked
package io.peerbroker.it.spring;

import org.jspecify.annotations.NullMarked;
