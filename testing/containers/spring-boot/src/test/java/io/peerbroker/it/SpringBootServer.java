package io.peerbroker.it;

import io.peerbroker.core.Broker;
import io.peerbroker.it.common.FrontFilter;
import io.peerbroker.it.common.KitServlet;
import io.peerbroker.peerjs.PeerJsServlet;
import io.peerbroker.peerjs.PeerJsSettings;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import jakarta.servlet.ServletContext;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.web.context.WebApplicationContext;

/** A Spring Boot application with the broker's servlet at {@code /broker/*}. */
record SpringBootServer(WebApplicationContext context) implements ContainerServer {

  /** The application. */
  @SpringBootConfiguration
  @EnableAutoConfiguration
  static class Application {

    private final ServerSettings settings;

    Application(ServerSettings settings) {
      this.settings = settings;
    }

    @Bean
    ServletRegistrationBean<KitServlet> broker() {
      var registration = new ServletRegistrationBean<>(KitServlet.of(settings), "/broker/*");
      registration.setInitParameters(settings.parameters());
      registration.setLoadOnStartup(0);
      return registration;
    }

    @Bean
    ServletRegistrationBean<PeerJsServlet> peerJs() {
      return new ServletRegistrationBean<>(
          new PeerJsServlet(PeerJsSettings.defaults().withTag("peerjs")), "/peerjs/*");
    }

    @Bean
    ApplicationListener<ContextClosedEvent> endStreams(ServletContext context) {
      return event -> closeBroker(context);
    }

    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> sendBuffer() {
      return server ->
          server.addConnectorCustomizers(
              connector -> {
                if (settings.threads() > 0) {
                  connector.setProperty("socket.txBufSize", "" + ServerSettings.SEND_BUFFER);
                }
              });
    }

    @Bean
    FilterRegistrationBean<FrontFilter> front() {
      FrontFilter filter = new FrontFilter(settings.front());
      var registration = new FilterRegistrationBean<>(filter);
      registration.setAsyncSupported(filter.asyncSupported());
      return registration;
    }
  }

  static {
    // The log is the process's, and several applications start in it at once.
    System.setProperty(LoggingSystem.SYSTEM_PROPERTY, LoggingSystem.NONE);
  }

  static SpringBootServer start(ServerSettings settings) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("server.address", "127.0.0.1");
    properties.put("server.port", "0");
    properties.put("server.shutdown", "graceful");
    properties.put("spring.lifecycle.timeout-per-shutdown-phase", "5s");
    properties.put("spring.main.banner-mode", "off");
    if (!settings.clientTimeout().isZero()) {
      properties.put("server.tomcat.connection-timeout", settings.clientTimeout());
    }
    if (settings.threads() > 0) {
      properties.put("server.tomcat.threads.max", settings.threads());
    }
    SpringApplication application = new SpringApplication(Application.class);
    application.setRegisterShutdownHook(false);
    application.setDefaultProperties(properties);
    application.addInitializers(
        context -> context.getBeanFactory().registerSingleton("settings", settings));
    return new SpringBootServer((WebApplicationContext) application.run());
  }

  @Override
  public URI base() {
    String port = context.getEnvironment().getProperty("local.server.port");
    return URI.create("http://127.0.0.1:" + port + "/broker");
  }

  @Override
  public void shutDownBroker() {
    closeBroker(Objects.requireNonNull(context.getServletContext()));
  }

  private static void closeBroker(ServletContext context) {
    if (context.getAttribute(BrokerServlet.BROKER_ATTRIBUTE) instanceof Broker broker) {
      broker.close();
    }
  }

  @Override
  public void stopApplication() {
    SpringApplication.exit(context);
  }

  /** The two are one. */
  @Override
  public void stopContainer() {
    stopApplication();
  }

  @Override
  public void close() {
    shutDownBroker();
    stopApplication();
  }
}
