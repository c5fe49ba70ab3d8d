package io.peerbroker.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.LogManager;
import org.jspecify.annotations.Nullable;

/**
 * One run of a program of this module: what it logs, and how it ends.
 *
 * <p>A process may have to end (Ctrl-C, SIGTERM) at any moment, while it starts as well. Then the
 * broker is closed first and the server stopped after it, since streams can be notified only while
 * the server still has their connections. The exit code is 0, as an end that was asked for is none
 * that failed. (Before this class is loaded it is the JVM's own, 143 after a SIGTERM.)
 */
final class Program {

  private final ReentrantLock lock = new ReentrantLock();

  /** Whether the process must end. Guarded by the lock, as are the other fields. */
  private boolean ending;

  /** Whether the program has failed by itself; the exit code then reports that. */
  private boolean failed;

  private @Nullable Runnable closeBroker;
  private @Nullable JettyServer server;

  /** A run that is not ended from outside. */
  Program() {}

  /** The body of a program. */
  interface Body {
    /** Returns when the program is over. */
    void run(Program program) throws Exception;
  }

  /** Is given the address of {@code /}, once the server answers there. */
  interface Listening {
    /** Says so. */
    void at(String address) throws Exception;
  }

  /**
   * Runs a program.
   *
   * @throws Exception what the body has thrown, unless the process is being terminated
   */
  static void run(Body body) throws Exception {
    var program = new Program();
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(program::end, "shutdown"));
    } catch (IllegalStateException endsAlready) {
      return;
    }
    quiet();
    try {
      body.run(program);
    } catch (Throwable e) {
      program.failed();
      throw e;
    }
  }

  /** Logs as this module's settings say, unless the JVM was started with others. */
  private static void quiet() {
    if (System.getProperty("java.util.logging.config.file") != null) {
      return;
    }
    try (InputStream settings = Program.class.getResourceAsStream("/logging.properties")) {
      if (settings != null) {
        LogManager.getLogManager().readConfiguration(settings);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Serves until the process is terminated.
   *
   * @param closeBroker closes the broker, whose streams are notified
   * @throws Exception if the server can't start; an {@code IOException} says why in its message
   */
  void serve(JettyServer server, Runnable closeBroker, Listening listening) throws Exception {
    lock.lock();
    try {
      this.server = server;
      this.closeBroker = closeBroker;
    } finally {
      lock.unlock();
    }
    try {
      listening.at(server.start());
      server.join();
    } catch (Exception e) {
      failed();
      throw e;
    }
  }

  /** Notes that the program fails by itself. Never returns if the process ends anyway. */
  void failed() {
    lock.lock();
    try {
      failed |= !ending;
      if (failed) {
        return;
      }
    } finally {
      lock.unlock();
    }
    // A failure during the end belongs to the end, and is not reported.
    var never = new CountDownLatch(1);
    while (true) {
      try {
        never.await();
      } catch (InterruptedException waitsOn) {
        // Until the JVM halts.
      }
    }
  }

  private void end() {
    Runnable closeBroker;
    JettyServer server;
    lock.lock();
    try {
      if (failed) {
        return;
      }
      ending = true;
      closeBroker = this.closeBroker;
      server = this.server;
    } finally {
      lock.unlock();
    }
    int exitCode = 0;
    try {
      if (closeBroker != null) {
        closeBroker.run();
      }
      if (server != null) {
        server.stop();
      }
    } catch (Exception e) {
      System.err.println("did not end cleanly: " + e);
      exitCode = 1;
    }
    Runtime.getRuntime().halt(exitCode);
  }
}
