package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpCaller;
import io.peerbroker.tck.KitPolicy;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireServer;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The runnable server within the test's process: made of a command line, as its {@code main} makes
 * it.
 */
record RunningServer(BrokerServer.Site site, URI base) implements WireServer {

  /** The init-params that have an option; what has none goes through {@code --set}. */
  private static final Map<String, String> OPTIONS =
      Map.of(
          "allowedOrigins", "--allowed-origins",
          "allowedHeaders", "--allowed-headers",
          "heartbeat", "--heartbeat",
          "maxResume", "--max-resume",
          "maxChannels", "--max-channels",
          "iceServers", "--ice-server",
          "turnSecretFile", "--turn-secret-file",
          "preset", "--preset");

  /**
   * Starts one with what a test asks for.
   *
   * @param options the command line of the setting under test; where the test asks for something
   *     else, that stands
   */
  static RunningServer start(ServerSettings settings, Map<String, String> options)
      throws Exception {
    var line = new HashMap<>(options);
    List<String> arguments = new ArrayList<>(List.of("--port", "0"));
    boolean policy = false;
    for (var parameter : settings.parameters().entrySet()) {
      String name = parameter.getKey();
      String value = parameter.getValue();
      if (name.equals(ServerSettings.POLICY)) {
        policy = true;
      } else if (name.equals("requireSessionKey")) {
        if (value.equals("true")) {
          arguments.add("--require-session-key");
        }
      } else if (OPTIONS.containsKey(name)) {
        line.put(OPTIONS.get(name), name.equals("allowedHeaders") ? value.replace(" ", "") : value);
      } else {
        arguments.addAll(List.of("--set", name + "=" + value));
      }
    }
    line.forEach(
        (option, value) -> {
          arguments.add(option);
          if (!value.isEmpty()) {
            arguments.add(value);
          }
        });
    Broker broker = settings.broker();
    if (policy) {
      broker = KitPolicy.broker(RunningServer::word);
    }
    BrokerServlet servlet = broker == null ? new BrokerServlet() : new BrokerServlet(broker);
    BrokerServer.Site site = BrokerServer.parse(arguments.toArray(String[]::new)).site(servlet);
    if (broker != null) {
      site.context().setAttribute(BrokerServlet.BROKER_ATTRIBUTE, broker);
    }
    String address = site.server().start();
    return new RunningServer(
        site, URI.create(address.substring(0, address.length() - 1) + site.mount()));
  }

  private static @Nullable String word(Caller caller) {
    HttpCaller http = (HttpCaller) caller;
    return KitPolicy.wordOf(
        http.header(KitPolicy.HEADER),
        http.cookie(KitPolicy.COOKIE),
        http.queryParameter(KitPolicy.PARAMETER));
  }

  @Override
  public void shutDownBroker() {
    site.closeBroker();
  }

  @Override
  public void close() {
    try {
      shutDownBroker();
      site.server().stop();
    } catch (Exception e) {
      throw new AssertionError("The server did not stop", e);
    }
  }
}
