package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Takes the broker's log during a test, for tests in which foreign code fails on purpose. */
final class BrokerLog extends Handler implements BeforeEachCallback, AfterEachCallback {

  private final Logger logger = Logger.getLogger(Broker.class.getName());
  private final List<LogRecord> records = new CopyOnWriteArrayList<>();

  @Override
  public void beforeEach(ExtensionContext context) {
    logger.setUseParentHandlers(false);
    logger.addHandler(this);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    logger.removeHandler(this);
    logger.setUseParentHandlers(true);
  }

  void assertHas(Throwable thrown) {
    assertThat(records).extracting(LogRecord::getThrown).contains(thrown);
  }

  void assertSize(int size) {
    assertThat(records).hasSize(size);
  }

  @Override
  public void publish(LogRecord record) {
    records.add(record);
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
