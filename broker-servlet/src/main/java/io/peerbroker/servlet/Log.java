package io.peerbroker.servlet;

/** Where the adapter logs: under one name, which users know. */
final class Log {

  static final System.Logger LOG = System.getLogger("io.peerbroker.servlet.BrokerHttp");

  private Log() {}
}
