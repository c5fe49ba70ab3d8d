package io.peerbroker.servlet;

import jakarta.servlet.annotation.WebInitParam;
import jakarta.servlet.annotation.WebServlet;

/** An application's way to mount the broker without a web.xml. */
@WebServlet(
    urlPatterns = "/annotated/*",
    asyncSupported = true,
    loadOnStartup = 1,
    initParams = {
      @WebInitParam(name = "maxChannels", value = "1"),
      @WebInitParam(name = "heartbeat", value = "100ms")
    })
public class AnnotatedBrokerServlet extends BrokerServlet {
  private static final long serialVersionUID = 1L;
}
