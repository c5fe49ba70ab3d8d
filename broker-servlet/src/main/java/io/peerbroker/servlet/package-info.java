/** The broker over HTTP and Server-Sent Events, as a servlet. */
@NullMarked
package io.peerbroker.servlet;

import org.jspecify.annotations.NullMarked;
