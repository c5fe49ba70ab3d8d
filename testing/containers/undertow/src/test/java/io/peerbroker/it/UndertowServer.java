package io.peerbroker.it;

import io.peerbroker.core.Broker;
import io.peerbroker.it.common.FrontFilter;
import io.peerbroker.it.common.KitServlet;
import io.peerbroker.peerjs.PeerJsServlet;
import io.peerbroker.peerjs.PeerJsSettings;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import io.undertow.Undertow;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentInfo;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.api.FilterInfo;
import io.undertow.servlet.api.ServletInfo;
import io.undertow.servlet.util.ImmediateInstanceFactory;
import io.undertow.websockets.jsr.WebSocketDeploymentInfo;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletException;
import java.net.InetSocketAddress;
import java.net.URI;
import org.xnio.Options;

/** An Undertow with the broker's servlet at {@code /broker/*}. */
record UndertowServer(Undertow undertow, DeploymentManager application) implements ContainerServer {

  static UndertowServer start(ServerSettings settings) throws Exception {
    FrontFilter filter = new FrontFilter(settings.front());
    FilterInfo front =
        Servlets.filter("front", FrontFilter.class, new ImmediateInstanceFactory<>(filter))
            .setAsyncSupported(filter.asyncSupported());
    ServletInfo servlet =
        Servlets.servlet(
                "broker",
                BrokerServlet.class,
                new ImmediateInstanceFactory<>(KitServlet.of(settings)))
            .setAsyncSupported(true)
            .setLoadOnStartup(0)
            .addMapping("/broker/*");
    settings.parameters().forEach(servlet::addInitParam);
    DeploymentInfo deployment =
        Servlets.deployment()
            .setDeploymentName("broker")
            .setContextPath("/")
            .setClassLoader(UndertowServer.class.getClassLoader())
            .addFilter(front)
            .addFilterUrlMapping("front", "/*", DispatcherType.REQUEST)
            .addServletContextAttribute(
                WebSocketDeploymentInfo.ATTRIBUTE_NAME, new WebSocketDeploymentInfo())
            .addServlet(servlet)
            .addServlet(
                Servlets.servlet(
                        "peerjs",
                        PeerJsServlet.class,
                        new ImmediateInstanceFactory<>(
                            new PeerJsServlet(PeerJsSettings.defaults().withTag("peerjs"))))
                    .addMapping("/peerjs/*"));
    DeploymentManager application = Servlets.newContainer().addDeployment(deployment);
    application.deploy();
    Undertow.Builder builder =
        Undertow.builder().addHttpListener(0, "127.0.0.1").setHandler(application.start());
    if (settings.threads() > 0) {
      builder
          .setWorkerThreads(settings.threads())
          .setSocketOption(Options.SEND_BUFFER, ServerSettings.SEND_BUFFER);
    }
    if (!settings.clientTimeout().isZero()) {
      builder.setSocketOption(Options.WRITE_TIMEOUT, (int) settings.clientTimeout().toMillis());
    }
    Undertow undertow = builder.build();
    undertow.start();
    return new UndertowServer(undertow, application);
  }

  @Override
  public URI base() {
    InetSocketAddress address = (InetSocketAddress) undertow.getListenerInfo().get(0).getAddress();
    return URI.create("http://127.0.0.1:" + address.getPort() + "/broker");
  }

  @Override
  public void shutDownBroker() {
    if (application.getDeployment() != null
        && application
                .getDeployment()
                .getServletContext()
                .getAttribute(BrokerServlet.BROKER_ATTRIBUTE)
            instanceof Broker broker) {
      broker.close();
    }
  }

  @Override
  public void stopApplication() {
    try {
      application.stop();
      application.undeploy();
    } catch (ServletException e) {
      throw new AssertionError("The application did not stop", e);
    }
  }

  /** The deployment first: without it the server cuts the connections, and calls no destroy. */
  @Override
  public void stopContainer() {
    stopApplication();
    undertow.stop();
  }

  @Override
  public void close() {
    shutDownBroker();
    undertow.stop();
  }
}
