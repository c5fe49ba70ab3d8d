package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Message;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.servlet.BrokerServlet;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;

/**
 * JVM code and browsers on one broker: how do they talk to each other?
 *
 * <p>The speaking clock below has no WebRTC: it answers through the broker. Open the demo page,
 * find it under the tag {@code service}, and write to it.
 */
public final class JvmPeerAndBrowser {

  private JvmPeerAndBrowser() {}

  /**
   * Runs the broker, the clock and the demo page until the process is terminated.
   *
   * @param args the port; 8080 if there is none
   */
  public static void main(String[] args) throws Exception {
    Program.run(
        program -> {
          int port = args.length > 0 ? Integer.parseInt(args[0]) : 8080;
          Broker broker = Broker.create();

          // The JVM's party: a channel and a session, as every browser has them, but no key and no
          // HTTP.
          // The demo page shows the name; "via" says that this one cannot be called by
          // WebRTC.
          Channel clock = broker.openChannel(JvmPeerAndBrowser::answer);
          clock.openSession(
              SessionSpec.listed("service")
                  .withMetadata(Json.of(Map.of("name", "Speaking clock", "via", "broker"))));

          // The browsers' side of the same broker.
          var site = new ServletContextHandler("/");
          var servlet = new ServletHolder(new BrokerServlet(broker));
          servlet.setAsyncSupported(true);
          site.addServlet(servlet, "/broker/*");
          var server =
              new JettyServer(
                  "127.0.0.1", port, Duration.ofSeconds(15), new DemoPage("/broker", site));
          program.serve(
              server, broker::close, address -> System.out.println("listening on " + address));
        });
  }

  /**
   * Replies to a page's message. A stranger chooses its content: here it should be {@code {"text":
   * "..."}}, and any other message is ignored.
   */
  private static void answer(Channel clock, Message message) {
    if (!message.json().isObject()) {
      return;
    }
    Json text = message.json().members().get("text");
    if (text == null || !text.isString()) {
      return;
    }
    String time =
        LocalTime.now(ZoneId.systemDefault()).format(DateTimeFormatter.ofPattern("HH:mm:ss"));
    String answer = "It is " + time + " here. You said: " + text.asString();
    clock.sendOrThrow(message.reply(Json.of(Map.of("name", "Speaking clock", "text", answer))));
  }
}
