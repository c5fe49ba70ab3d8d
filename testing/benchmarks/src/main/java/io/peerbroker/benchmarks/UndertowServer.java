package io.peerbroker.benchmarks;

import io.undertow.Undertow;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentInfo;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.util.ImmediateInstanceFactory;
import jakarta.servlet.http.HttpServlet;

/** An Undertow; a class of its own, which is loaded only where there is one. */
final class UndertowServer {

  private UndertowServer() {}

  /** Starts one with this servlet at its root. */
  static void start(HttpServlet servlet, String host, int port) throws Exception {
    DeploymentInfo deployment =
        Servlets.deployment()
            .setDeploymentName("relay")
            .setContextPath("/")
            .setClassLoader(UndertowServer.class.getClassLoader())
            .addServlet(
                Servlets.servlet(
                        "relay", HttpServlet.class, new ImmediateInstanceFactory<>(servlet))
                    .setAsyncSupported(true)
                    .addMapping("/*"));
    DeploymentManager application = Servlets.newContainer().addDeployment(deployment);
    application.deploy();
    Undertow.builder().addHttpListener(port, host).setHandler(application.start()).build().start();
  }
}
