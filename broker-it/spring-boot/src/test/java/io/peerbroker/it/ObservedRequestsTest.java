package io.peerbroker.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.observation.ObservationPredicate;
import io.peerbroker.core.Broker;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.http.server.observation.ServerRequestObservationContext;

/** What the broker's requests do to the figures that a Spring Boot application keeps of its own. */
final class ObservedRequestsTest {

  /** An application without the cure. */
  @SpringBootConfiguration
  @EnableAutoConfiguration
  static class Plain {

    @Bean(destroyMethod = "close")
    Broker broker() {
      return Broker.create();
    }

    @Bean
    ServletRegistrationBean<BrokerServlet> brokerServlet(Broker broker) {
      var registration = new ServletRegistrationBean<>(new BrokerServlet(broker), "/broker/*");
      registration.addInitParameter("heartbeat", "200ms");
      return registration;
    }
  }

  /** An application with the cure of docs/containers.md. */
  static class Cured extends Plain {

    @Bean
    ObservationPredicate brokerIsNotObserved() {
      return (name, context) ->
          !(context instanceof ServerRequestObservationContext request
              && request.getCarrier().getRequestURI().startsWith("/broker/"));
    }
  }

  @Test
  @DisplayName("a stream that ends is a sample as long as it lived, with an exception")
  void aStreamIsASample() {
    assertThat(exceptionsAfterAResetStream(Plain.class, 3)).contains("IOException");
  }

  @Test
  @DisplayName("with the predicate, the broker's requests are no samples, and others are")
  void withThePredicateItIsNone() {
    assertThat(exceptionsAfterAResetStream(Cured.class, 1)).containsExactly("none");
  }

  /**
   * Creates a session, resets its channel's stream, asks for a page that is not there, and returns
   * what the samples say, once there are so many.
   */
  private static List<String> exceptionsAfterAResetStream(Class<?> application, int samples) {
    SpringApplication spring = new SpringApplication(application);
    spring.setRegisterShutdownHook(false);
    spring.setDefaultProperties(
        Map.of(
            "server.address", "127.0.0.1",
            "server.port", "0",
            "spring.main.banner-mode", "off",
            "logging.level.root", "off"));
    try (ConfigurableApplicationContext context = spring.run()) {
      String host = "http://127.0.0.1:" + context.getEnvironment().getProperty("local.server.port");
      MeterRegistry registry = context.getBean(MeterRegistry.class);
      try (WireClient broker = new WireClient(URI.create(host + "/broker"));
          WireClient other = new WireClient(URI.create(host))) {
        WireChannel channel = broker.openChannel();
        channel.listSession("");
        SseStream stream = channel.stream();
        stream.reset();
        await()
            .until(() -> context.getBean(Broker.class).list(TagFilter.all()).sessions().isEmpty());
        assertThat(other.get("/nothing").status()).isEqualTo(404);
        await().until(() -> samples(registry).stream().mapToLong(Timer::count).sum() >= samples);
        return samples(registry).stream()
            .map(timer -> timer.getId().getTag("exception"))
            .distinct()
            .toList();
      }
    }
  }

  private static Collection<Timer> samples(MeterRegistry registry) {
    return registry.find("http.server.requests").timers();
  }
}
