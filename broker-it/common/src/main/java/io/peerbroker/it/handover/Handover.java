package io.peerbroker.it.handover;

import io.peerbroker.core.Broker;
import io.peerbroker.tck.ServerSettings;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Hands the settings of a test to the web application that it starts, and the application's broker
 * to the test. The test and its container share a JVM, but no servlet class. One application at a
 * time.
 */
public final class Handover {

  private static volatile @Nullable ServerSettings settings;
  private static volatile Supplier<@Nullable Object> attribute = () -> null;

  private Handover() {}

  /** Keeps the settings for the application that starts next. */
  public static void give(ServerSettings next) {
    attribute = () -> null;
    settings = next;
  }

  /**
   * Returns the settings of the application that is starting.
   *
   * @param broker reads the attribute in which the servlet keeps its broker
   */
  public static ServerSettings take(Supplier<@Nullable Object> broker) {
    ServerSettings given = settings;
    if (given == null) {
      throw new IllegalStateException("The test has given no settings");
    }
    attribute = broker;
    return given;
  }

  /** Closes the broker that the servlet has made, if it is running. */
  public static void shutDownBroker() {
    if (attribute.get() instanceof Broker broker) {
      broker.close();
    }
  }
}
