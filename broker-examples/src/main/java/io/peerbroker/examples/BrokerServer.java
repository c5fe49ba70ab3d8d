package io.peerbroker.examples;

/** The runnable broker. */
public final class BrokerServer {
  private BrokerServer() {}

  /**
   * Starts the broker.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    System.out.println("peerbroker " + BrokerServer.class.getPackage().getImplementationVersion());
  }
}
