package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.AdditionalAnswers.delegatesTo;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doReturn;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;

import io.peerbroker.core.Answer;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Refusal;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import io.peerbroker.tck.WireResponse;
import io.peerbroker.tck.WireServer;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The answer to a client when the application's own part of the broker fails. */
final class BrokerFaultTest {

  @Test
  @Tag("E12")
  @DisplayName("A fault is 500 internal, and reveals nothing of the inside.")
  void aFaultTellsNothing() throws Exception {
    Broker broker =
        Broker.builder()
            .router(
                next ->
                    message -> {
                      throw new IllegalStateException("a secret of the inside");
                    })
            .build();
    WireResponse response = sendOver(broker);
    assertThat(response.status()).isEqualTo(500);
    assertThat(response.mediaType()).isEqualTo("application/problem+json");
    assertThat(response.member("code")).isEqualTo("internal");
    assertThat(response.body()).doesNotContain("secret").doesNotContain("Exception");
  }

  @Test
  @Tag("E12")
  @DisplayName("An error is answered as an exception is, not by the container.")
  void errorsAreAnswered() throws Exception {
    Broker real = Broker.create();
    Gateway gateway = mock(Gateway.class, delegatesTo(real.gateway()));
    doThrow(new StackOverflowError("planted")).when(gateway).perform(any());
    WireResponse response = sendOver(answering(real, gateway));
    assertThat(response.status()).isEqualTo(500);
    assertThat(response.mediaType()).isEqualTo("application/problem+json");
    assertThat(response.member("code")).isEqualTo("internal");
  }

  @Test
  @DisplayName("A refusal of the application with the longest time to wait reaches the client.")
  void refusesForever() throws Exception {
    Refusal never = new Refusal(Refusal.Code.DENIED, "Never.", ChronoUnit.FOREVER.getDuration());
    Broker broker =
        Broker.builder()
            .router(
                next -> message -> CompletableFuture.completedStage(new Delivery.Refused(never)))
            .build();
    WireResponse response = sendOver(broker);
    assertThat(response.status()).isEqualTo(403);
    assertThat(response.header("Retry-After")).isEqualTo("2147483647");
  }

  @Test
  @Tag("E12")
  @DisplayName("An answer that cannot be written is 500 internal, not a response that stays open.")
  void answersWhatCannotBeWritten() throws Exception {
    Broker real = Broker.create();
    Gateway gateway = mock(Gateway.class, delegatesTo(real.gateway()));
    // No broker of ours gives it: a send has at least one message.
    doReturn(CompletableFuture.completedStage(new Answer.Delivered(List.of())))
        .when(gateway)
        .perform(any());
    WireResponse response = sendOver(answering(real, gateway));
    assertThat(response.status()).isEqualTo(500);
    assertThat(response.member("code")).isEqualTo("internal");
  }

  /** Returns a broker with another gateway. */
  private static Broker answering(Broker real, Gateway gateway) {
    Broker broker = mock(Broker.class, delegatesTo(real));
    doReturn(gateway).when(broker).gateway();
    doReturn(broker).when(broker).forCaller(any());
    return broker;
  }

  /** Serves a broker, sends a message over it, and closes it. */
  private static WireResponse sendOver(Broker broker) throws Exception {
    ServletHolder servlet = new ServletHolder(new BrokerServlet(broker));
    try (broker;
        WireServer server = JettyServer.start(servlet, ServerSettings.DEFAULTS);
        WireClient client = new WireClient(server.base())) {
      WireChannel channel = client.openChannel();
      return channel.send(channel.cid(), "1");
    }
  }
}
