package io.peerbroker.it.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.examples.BrokerServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.util.concurrent.TimeUnit;

/** The runnable broker as a process of its own, on a free port. */
record RunningBroker(Process process, URI page) implements AutoCloseable {

  private static final String LISTENING = "listening on ";

  static RunningBroker start() throws Exception {
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                BrokerServer.class.getName(),
                "--port",
                "0")
            .redirectErrorStream(true)
            .start();
    BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    StringBuilder said = new StringBuilder();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      said.append(line).append('\n');
      if (line.startsWith(LISTENING)) {
        return new RunningBroker(process, URI.create(line.substring(LISTENING.length())));
      }
    }
    throw new AssertionError("The broker did not start; it says\n" + said);
  }

  @Override
  public void close() {
    process.destroy();
    process.onExit().orTimeout(60, TimeUnit.SECONDS).join();
  }
}
