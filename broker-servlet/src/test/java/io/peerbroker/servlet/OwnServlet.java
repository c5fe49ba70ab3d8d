package io.peerbroker.servlet;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

/** The application's servlet, which hands its requests on to the broker. */
final class OwnServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  private final transient BrokerHttp http;

  OwnServlet(BrokerHttp http) {
    this.http = http;
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) {
    response.setHeader("X-Own", "yes");
    http.handle(request, response);
  }

  @Override
  public void destroy() {
    http.close();
  }
}
