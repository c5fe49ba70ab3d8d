package io.peerbroker.it.common;

import java.net.URI;

/**
 * A container in the test's own JVM whose start is slow, so that there is one for all tests: the
 * application of the next test follows that of the last one in it.
 */
public interface SharedContainer {

  /** Returns where the broker's servlet is while the application runs. */
  URI base();

  /** Starts the application. */
  void startApplication();

  /** Stops the application, if it is running. */
  void stopApplication();

  /** Stops the container; the next test starts it again. */
  void stop();
}
