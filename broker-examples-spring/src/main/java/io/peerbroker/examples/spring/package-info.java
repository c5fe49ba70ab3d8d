/** A Spring Boot application whose login decides who may do what. */
@NullMarked
package io.peerbroker.examples.spring;

import org.jspecify.annotations.NullMarked;
