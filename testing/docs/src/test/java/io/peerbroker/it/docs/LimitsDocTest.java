package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import io.peerbroker.tck.WireClient;
import jakarta.servlet.ServletContainerInitializer;
import jakarta.servlet.ServletContext;
import java.lang.reflect.Method;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The examples of docs/limits.md. */
final class LimitsDocTest {

  @Test
  @DisplayName("The preset is taken by broker and servlet.")
  void preset() throws Exception {
    DocBlock block = DocBlock.of("docs/limits.md", "open to everybody");
    try (DocProgram program =
        DocProgram.ofStatements(
            block.with("new BrokerServlet(", "Object servlet = new BrokerServlet("),
            "io.peerbroker.core.*",
            "io.peerbroker.servlet.*")) {
      assertThat(program.run()).isEmpty();
    }
  }

  @Test
  @DisplayName("The filter lets a stream begin, and refuses an address above its rate.")
  void filter() throws Exception {
    DocBlock block = DocBlock.of("docs/limits.md", "a filter for each address");
    try (DocProgram program =
            DocProgram.ofMembers(
                "public final",
                List.of(
                    block
                        .with(
                            "FilterRegistration.Dynamic limits =",
                            "public static void add(ServletContext context) {"
                                + " FilterRegistration.Dynamic limits =")
                        .with("\"broker\");", "\"broker\"); }")),
                "io.peerbroker.examples.AddressLimitFilter",
                "jakarta.servlet.*",
                "java.util.EnumSet");
        Broker broker = Broker.create()) {
      Method add = program.main().getMethod("add", ServletContext.class);
      ServletContextHandler app = new ServletContextHandler();
      ServletHolder servlet =
          new ServletHolder("broker", new BrokerServlet(broker, HttpSettings.defaults()));
      servlet.setAsyncSupported(true);
      app.addServlet(servlet, "/broker/*");
      ServletContainerInitializer initializer =
          (types, context) -> {
            try {
              add.invoke(null, context);
            } catch (ReflectiveOperationException e) {
              throw new LinkageError("The filter is not there", e);
            }
          };
      app.addServletContainerInitializer(initializer);
      Server server = new Server(0);
      server.setHandler(app);
      server.start();
      int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
      try (WireClient client = new WireClient(URI.create("http://127.0.0.1:" + port + "/broker"))) {
        client.openChannel();
        Set<Integer> answers =
            IntStream.range(0, 600)
                .map(at -> client.get("/list").status())
                .boxed()
                .collect(Collectors.toSet());
        assertThat(answers).containsExactlyInAnyOrder(200, 429);
      } finally {
        server.stop();
      }
    }
  }
}
