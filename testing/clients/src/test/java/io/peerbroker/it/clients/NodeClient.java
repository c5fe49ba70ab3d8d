package io.peerbroker.it.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The npm package eventsource in a Node.js process, installed with {@code npm ci} when needed. */
final class NodeClient implements Client {

  private final List<Log> logs = new CopyOnWriteArrayList<>();
  private final Process process;
  private final PrintStream commands;

  private NodeClient(Process process) {
    this.process = process;
    commands = new PrintStream(process.getOutputStream(), true, UTF_8);
    BufferedReader lines = process.inputReader();
    Thread reader = new Thread(() -> lines.lines().forEach(this::note), "output of node");
    reader.setDaemon(true);
    reader.start();
  }

  static NodeClient start() throws Exception {
    Path folder = NodeFolder.install("node", "streams.mjs");
    return new NodeClient(
        new ProcessBuilder("node", "streams.mjs")
            .directory(folder.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  private void note(String line) {
    JsonObject said = JsonParser.parseString(line).getAsJsonObject();
    Log log = logs.get(said.get("number").getAsInt());
    if (!said.has("error")) {
      String id = said.get("lastEventId").getAsString();
      log.add(said.get("name").getAsString(), said.get("data").getAsString(), id);
    } else if (said.get("error").getAsInt() == 2) {
      log.giveUp();
    }
  }

  @Override
  public Stream open(URI uri) {
    Log log = new Log();
    logs.add(log);
    commands.println("open " + (logs.size() - 1) + " " + uri);
    return log;
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
