package io.peerbroker.examples;

import io.peerbroker.core.Json;
import java.util.EnumSet;
import java.util.Map;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ResourceHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.resource.ResourceFactory;

/**
 * The demo page at {@code /}, in front of everything else that a server has: what is not one of its
 * files goes on to the next handler. {@code /config.json} tells the page where the broker is.
 */
final class DemoPage extends ResourceHandler {

  private static final Map<String, String> SECURITY_HEADERS =
      Map.of(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
              + "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
              + "frame-ancestors 'none'",
          "X-Content-Type-Options",
          "nosniff",
          "Referrer-Policy",
          "no-referrer",
          "Permissions-Policy",
          "camera=(), microphone=(), geolocation=()");

  private final String config;

  /**
   * The page, for a broker on the same server.
   *
   * @param mount the path of the broker, without a slash at the end; empty for the root
   * @param next what is behind the page, the broker among it
   */
  DemoPage(String mount, Handler next) {
    super(next);
    config = Json.of(Map.of("broker", mount)).toString();
    setBaseResource(ResourceFactory.of(this).newClassLoaderResource("demo/"));
    setWelcomeFiles("index.html");
    setDirAllowed(false);
    setCacheControl("no-cache");
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    SECURITY_HEADERS.forEach(response.getHeaders()::put);
    if (Request.getPathInContext(request).equals("/config.json")) {
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-cache");
      Content.Sink.write(response, true, config, callback);
      return true;
    }
    return super.handle(new Unconditional(request), response, callback);
  }

  /**
   * A request that is answered in full. A reproducible jar has one date in all its versions, so
   * that "not modified" would keep an old page alive.
   */
  private static final class Unconditional extends Request.Wrapper {
    private final HttpFields headers;

    Unconditional(Request request) {
      super(request);
      headers =
          HttpFields.build(
              request.getHeaders(),
              EnumSet.of(HttpHeader.IF_MODIFIED_SINCE, HttpHeader.IF_NONE_MATCH));
    }

    @Override
    public HttpFields getHeaders() {
      return headers;
    }
  }
}
