package io.peerbroker.examples;

import io.peerbroker.core.Json;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ResourceHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.resource.ResourceFactory;

/**
 * The demo page at {@code /}, in front of the rest of the server. {@code /config.json} tells the
 * page where the broker is.
 *
 * <p>Only a {@code GET} or {@code HEAD} of one of its files is the page's. Every other request goes
 * on to the next handler as it came, and its answer goes out as it is: preflights are the broker's
 * to answer, and the page's own permissions are not the broker's.
 */
final class DemoPage extends ResourceHandler {

  private static final String CONFIG = "/config.json";

  /** The paths that are the page's, beside its configuration. */
  static final Set<String> FILES =
      Set.of(
          "/",
          "/index.html",
          "/app.js",
          "/chats.js",
          "/icon.svg",
          "/meet.js",
          "/style.css",
          "/view.js");

  private static final Map<String, String> SECURITY_HEADERS =
      Map.of(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
              + "connect-src 'self'; base-uri 'none'; form-action 'none'; "
              + "frame-ancestors 'none'",
          "X-Content-Type-Options",
          "nosniff",
          "Referrer-Policy",
          "no-referrer",
          "Permissions-Policy",
          "camera=(self), microphone=(self), geolocation=()");

  private final Handler next;
  private final String config;

  /**
   * The page, for a broker on the same server.
   *
   * @param mount the path of the broker, without a slash at the end; empty for the root
   * @param next what is behind the page, the broker among it
   */
  DemoPage(String mount, Handler next) {
    super(next);
    this.next = next;
    config = Json.of(Map.of("broker", mount)).toString();
    setBaseResource(ResourceFactory.of(this).newClassLoaderResource("demo/"));
    setWelcomeFiles("index.html");
    setDirAllowed(false);
    setCacheControl("no-cache");
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    String path = Request.getPathInContext(request);
    boolean reads =
        HttpMethod.GET.is(request.getMethod()) || HttpMethod.HEAD.is(request.getMethod());
    if (!reads || !(path.equals(CONFIG) || FILES.contains(path))) {
      return next.handle(request, response, callback);
    }
    SECURITY_HEADERS.forEach(response.getHeaders()::put);
    if (path.equals(CONFIG)) {
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
