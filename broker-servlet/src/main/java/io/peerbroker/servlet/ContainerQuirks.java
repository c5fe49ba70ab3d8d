package io.peerbroker.servlet;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import java.io.Closeable;
import org.jspecify.annotations.Nullable;

/** What is known of single containers, by the names of their classes: the one place that asks. */
final class ContainerQuirks {

  /** The attribute of a request with its connection, on Jetty 11 and over HTTP/1.1. */
  private static final String CONNECTION_OF_JETTY_11 = "org.eclipse.jetty.server.HttpConnection";

  /** Whether the class of a container's stream is that of Quarkus, an Undertow on Vert.x. */
  private static final ClassValue<Boolean> OF_QUARKUS =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          if (!type.getName().equals("io.undertow.servlet.spec.ServletOutputStreamImpl")) {
            return false;
          }
          try {
            Class.forName("io.undertow.httpcore.OutputChannel", false, type.getClassLoader());
            return true;
          } catch (ClassNotFoundException undertow) {
            return false;
          }
        }
      };

  private ContainerQuirks() {}

  /** Returns whether a response's stream is that of Quarkus. */
  static boolean isQuarkus(ServletOutputStream out) {
    return OF_QUARKUS.get(out.getClass());
  }

  /**
   * Returns whether a write may block until the connection has room, though the container has
   * reported that there is: Tomcat's does over HTTP/2, Open Liberty's always.
   */
  static boolean mayBlock(ServletOutputStream out, ServletRequest request) {
    String type = out.getClass().getName();
    return type.startsWith("com.ibm.")
        || (type.startsWith("org.apache.catalina.") && !request.getProtocol().startsWith("HTTP/1"));
  }

  /**
   * Returns whether a stream that has room keeps it until something is written: over HTTP/1 nothing
   * else fills a connection. On Tomcat the question costs as much as a write of a short event.
   */
  static boolean isSteady(ServletOutputStream out, ServletRequest request) {
    return request.getProtocol().startsWith("HTTP/1") && !isQuarkus(out) && !mayBlock(out, request);
  }

  /**
   * Returns whether a container ends a write that blocks for long, and calls the broker only on
   * threads that may block: Jetty after its connector's idle timeout, Tomcat after its connection
   * timeout. Undertow has no such timeout unless it is set, and calls back on threads that serve
   * many connections.
   *
   * @param original the response, without wrappers: what a filter holds back is written later
   */
  static boolean endsBlockedWrites(ServletResponse original) {
    return isJetty(original) || original.getClass().getName().startsWith("org.apache.catalina.");
  }

  /** Returns whether a response, beneath what filters have wrapped around it, is Jetty's. */
  static boolean isJetty(ServletResponse original) {
    return original.getClass().getName().startsWith("org.eclipse.jetty.");
  }

  /**
   * Returns the connection of a request if the container does not end it by itself: after an answer
   * with {@code Connection: close} Jetty 11 reads on, for as long as the client sends.
   */
  static @Nullable Closeable connectionToClose(ServletRequest request) {
    return request.getAttribute(CONNECTION_OF_JETTY_11) instanceof Closeable closeable
        ? closeable
        : null;
  }
}
