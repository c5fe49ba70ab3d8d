package io.peerbroker.it.quarkus;

import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.HttpServerOptions;
import jakarta.enterprise.context.ApplicationScoped;

/**
 * Bounds the bytes that the system keeps for a connection, if the property {@code send.buffer} is
 * set.
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
