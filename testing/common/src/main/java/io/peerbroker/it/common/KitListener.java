package io.peerbroker.it.common;

import io.peerbroker.it.handover.Handover;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.tck.ServerSettings;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletRegistration;
import java.util.EnumSet;

/**
 * Mounts the broker's servlet at {@code /broker/*} in a web application that a {@code web.xml}
 * describes, with the settings of the {@link Handover}.
 */
public final class KitListener implements ServletContextListener {

  /** For the container. */
  public KitListener() {}

  @Override
  public void contextInitialized(ServletContextEvent event) {
    ServletContext context = event.getServletContext();
    ServerSettings settings =
        Handover.latest().take(() -> context.getAttribute(BrokerServlet.BROKER_ATTRIBUTE));
    FrontFilter filter = new FrontFilter(settings.front());
    FilterRegistration.Dynamic front = context.addFilter("front", filter);
    front.setAsyncSupported(filter.asyncSupported());
    front.addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
    ServletRegistration.Dynamic servlet = context.addServlet("broker", KitServlet.of(settings));
    servlet.setInitParameters(settings.parameters());
    servlet.setAsyncSupported(true);
    servlet.setLoadOnStartup(0);
    servlet.addMapping("/broker/*");
  }
}
