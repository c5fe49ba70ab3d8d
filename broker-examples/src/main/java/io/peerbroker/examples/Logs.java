package io.peerbroker.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.logging.LogManager;

/** What the programs of this module log: warnings, one line each, on standard error. */
final class Logs {

  private Logs() {}

  /** Takes the settings of this module, unless whoever started the JVM has named others. */
  static void quiet() {
    if (System.getProperty("java.util.logging.config.file") != null) {
      return;
    }
    try (InputStream settings = Logs.class.getResourceAsStream("/logging.properties")) {
      if (settings != null) {
        LogManager.getLogManager().readConfiguration(settings);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
