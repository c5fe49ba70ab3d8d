package io.peerbroker.it;

import io.peerbroker.core.Broker;
import io.peerbroker.it.common.FrontFilter;
import io.peerbroker.it.common.KitServlet;
import io.peerbroker.peerjs.PeerJsServlet;
import io.peerbroker.peerjs.PeerJsSettings;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.ContainerServer;
import io.peerbroker.tck.ServerSettings;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http2.Http2Protocol;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.websocket.server.WsSci;

/**
 * A Tomcat 11 that speaks HTTP/1.1 and HTTP/2, with the broker's servlet at {@code /broker/*}.
 *
 * <p>The system property {@code peerbroker.connector} names the class of another connector.
 */
record Tomcat11Server(Tomcat tomcat, Context context) implements ContainerServer {

  static Tomcat11Server start(ServerSettings settings) throws Exception {
    Connector connector = new Connector(System.getProperty("peerbroker.connector", "HTTP/1.1"));
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    Http2Protocol http2 = new Http2Protocol();
    // The kit resets far more streams than Tomcat lets pass from one connection.
    http2.setOverheadResetFactor(0);
    connector.addUpgradeProtocol(http2);
    if (!settings.clientTimeout().isZero()) {
      connector.setProperty("connectionTimeout", "" + settings.clientTimeout().toMillis());
    }
    if (settings.threads() > 0) {
      connector.setProperty("maxThreads", "" + settings.threads());
      connector.setProperty("socket.txBufSize", "" + ServerSettings.SEND_BUFFER);
    }
    Tomcat tomcat = new Tomcat();
    // Several run at once: each has its own directory, and its own domain of MBeans.
    Path own = Files.createTempDirectory(Path.of("target"), "tomcat");
    tomcat.setBaseDir(own.toString());
    tomcat.getEngine().setName(own.getFileName().toString());
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", null);
    context.addServletContainerInitializer(new WsSci(), null);
    addFilter(context, new FrontFilter(settings.front()));
    Wrapper servlet = Tomcat.addServlet(context, "broker", KitServlet.of(settings));
    settings.parameters().forEach(servlet::addInitParameter);
    servlet.setAsyncSupported(true);
    servlet.setLoadOnStartup(0);
    servlet.addMapping("/broker/*");
    Tomcat.addServlet(
            context, "peerjs", new PeerJsServlet(PeerJsSettings.defaults().withTag("peerjs")))
        .addMapping("/peerjs/*");
    tomcat.start();
    return new Tomcat11Server(tomcat, context);
  }

  private static void addFilter(Context context, FrontFilter filter) {
    FilterDef definition = new FilterDef();
    definition.setFilterName("front");
    definition.setFilter(filter);
    definition.setAsyncSupported("" + filter.asyncSupported());
    context.addFilterDef(definition);
    FilterMap mapping = new FilterMap();
    mapping.setFilterName("front");
    mapping.addURLPattern("/*");
    context.addFilterMap(mapping);
  }

  @Override
  public URI base() {
    return URI.create("http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/broker");
  }

  @Override
  public void shutDownBroker() {
    if (context.getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE)
        instanceof Broker broker) {
      broker.close();
    }
  }

  @Override
  public void stopApplication() {
    try {
      context.stop();
    } catch (LifecycleException e) {
      throw new AssertionError("The application did not stop", e);
    }
  }

  @Override
  public void stopContainer() {
    try {
      tomcat.stop();
    } catch (LifecycleException e) {
      throw new AssertionError("The server did not stop", e);
    }
  }

  @Override
  public void close() {
    try {
      shutDownBroker();
      tomcat.stop();
      tomcat.destroy();
    } catch (LifecycleException e) {
      throw new AssertionError("The server did not stop", e);
    }
  }
}
