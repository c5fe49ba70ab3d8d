package io.peerbroker.it.handover;

import io.peerbroker.core.Broker;
import io.peerbroker.tck.ServerSettings;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Hands the settings of a test to the web application that it starts, and the application's broker
 * to the test. The test and its container share a JVM, but no servlet class. Several applications
 * can run; one starts at a time.
 */
public final class Handover {

  private static volatile @Nullable Handover latest;

  private final ServerSettings settings;
  private volatile Supplier<@Nullable Object> attribute = () -> null;

  private Handover(ServerSettings settings) {
    this.settings = settings;
  }

  /** Keeps the settings for the application that starts next. */
  public static Handover give(ServerSettings settings) {
    Handover next = new Handover(settings);
    latest = next;
    return next;
  }

  /** Returns the handover of the application that is starting. */
  public static Handover latest() {
    Handover given = latest;
    if (given == null) {
      throw new IllegalStateException("The test has given no settings");
    }
    return given;
  }

  /**
   * Returns the settings, to the application.
   *
   * @param broker reads the attribute in which the servlet keeps its broker
   */
  public ServerSettings take(Supplier<@Nullable Object> broker) {
    attribute = broker;
    return settings;
  }

  /** Closes the broker that the servlet has made, if it is running. */
  public void shutDownBroker() {
    if (attribute.get() instanceof Broker broker) {
      broker.close();
    }
  }
}
