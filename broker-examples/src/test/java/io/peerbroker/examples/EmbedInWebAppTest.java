package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.core.SessionSpec;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.eclipse.jetty.server.Server;
import org.junit.jupiter.api.Test;

class EmbedInWebAppTest {

  @Test
  void shopAndBroker_shareOneBroker() throws Exception {
    try (Broker broker = Broker.create()) {
      Server server = EmbedInWebApp.server(0, broker);
      server.start();
      try {
        broker.openChannel((channel, message) -> {}).openSession(SessionSpec.listed("customer"));
        assertThat(get(server.getURI().resolve("/shop/"))).contains("talk: 1");
        assertThat(get(server.getURI().resolve("/shop/broker/list?filter=customer")))
            .contains("\"tags\":[\"customer\"]");
      } finally {
        server.stop();
      }
    }
  }

  private static String get(URI uri) throws Exception {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
        .body();
  }
}
