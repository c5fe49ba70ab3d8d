package io.peerbroker.it.common;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpCaller;
import io.peerbroker.tck.KitPolicy;
import io.peerbroker.tck.ServerSettings;
import jakarta.servlet.ServletException;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The servlet that a container mounts: the broker's, with the kit's policy if a test asks for that.
 */
public final class KitServlet extends BrokerServlet {

  private static final long serialVersionUID = 1L;

  private transient @Nullable Broker withPolicy;

  private KitServlet() {}

  private KitServlet(Broker broker) {
    super(broker);
  }

  /** The servlet for a test's broker, if it has one; its parameters must still be set. */
  public static KitServlet of(ServerSettings settings) {
    Broker broker = settings.broker();
    return broker == null ? new KitServlet() : new KitServlet(broker);
  }

  @Override
  public void init() throws ServletException {
    if (getInitParameter(ServerSettings.POLICY) != null) {
      Broker broker = KitPolicy.broker(KitServlet::word);
      getServletContext().setAttribute(BROKER_ATTRIBUTE, broker);
      withPolicy = broker;
    }
    super.init();
  }

  private static @Nullable String word(Caller caller) {
    HttpCaller http = (HttpCaller) caller;
    return KitPolicy.wordOf(
        http.header(KitPolicy.HEADER),
        http.cookie(KitPolicy.COOKIE),
        http.queryParameter(KitPolicy.PARAMETER));
  }

  /** The parameters that are the broker's own. */
  @Override
  public Enumeration<String> getInitParameterNames() {
    List<String> names = Collections.list(super.getInitParameterNames());
    names.remove(ServerSettings.POLICY);
    return Collections.enumeration(names);
  }

  @Override
  public void destroy() {
    Broker broker = withPolicy;
    if (broker != null) {
      broker.close();
    }
    super.destroy();
  }
}
