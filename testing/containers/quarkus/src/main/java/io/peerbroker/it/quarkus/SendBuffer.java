package io.peerbroker.it.quarkus;

import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.HttpServerOptions;
import jakarta.enterprise.context.ApplicationScoped;

/**
 * Bounds what the system keeps for a connection, where the property {@code send.buffer} says so.
 */
@ApplicationScoped
public class SendBuffer implements HttpServerOptionsCustomizer {

  /** For the container. */
  public SendBuffer() {}

  @Override
  public void customizeHttpServer(HttpServerOptions options) {
    Integer bytes = Integer.getInteger("send.buffer");
    if (bytes != null) {
      options.setSendBufferSize(bytes);
    }
  }
}
