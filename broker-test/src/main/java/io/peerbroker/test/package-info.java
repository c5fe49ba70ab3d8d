/** What the tests of an application that uses the broker need. No test framework comes with it. */
@NullMarked
package io.peerbroker.test;

import org.jspecify.annotations.NullMarked;
