package io.peerbroker.servlet;

import io.peerbroker.core.Broker;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The broker as a servlet, to be mounted in an existing web application at any path ending in
 * {@code /*}, or at {@code /}.
 *
 * <p>Asynchronous requests must be on for it and every filter before it. Two ways to mount it:
 *
 * <ul>
 *   <li>{@code new BrokerServlet(broker)} handed to a container by code. The broker stays the
 *       application's to close, before the container stops its connectors, so that the streams are
 *       notified.
 *   <li>By {@code web.xml}, or an annotated subclass, with init-params alone. It then takes the
 *       broker from the {@link #BROKER_ATTRIBUTE attribute} of the servlet context if there is one
 *       (and leaves it open). Else it makes one from its init-params, puts it there for the JVM's
 *       own parties, and closes it when it is destroyed.
 * </ul>
 *
 * <p>The init-params have the names of the settings of {@link io.peerbroker.core.BrokerBuilder} and
 * {@link HttpSettings}: {@code maxChannels}, {@code requireSessionKey}, {@code heartbeat} and so
 * on. Times are written as {@code 15s} or {@code 500ms}, rates as {@code 100/200} (a second, burst)
 * or {@code 0}, origins and headers with commas between them. {@code preset} with the value {@code
 * openToEverybody} starts from {@link io.peerbroker.core.BrokerBuilder#openToEverybody} and {@link
 * HttpSettings#openToEverybody}; the other init-params then change the settings that they name. An
 * {@link io.peerbroker.core.AccessPolicy} comes with a broker that the application has made.
 */
public class BrokerServlet extends HttpServlet {

  /** The name of the servlet context's attribute with the {@link Broker}. */
  public static final String BROKER_ATTRIBUTE = "io.peerbroker.core.Broker";

  /** The attribute with the name of the servlet that has made that broker from its init-params. */
  private static final String MAKER_ATTRIBUTE = BROKER_ATTRIBUTE + ".maker";

  private static final long serialVersionUID = 1L;

  private final transient @Nullable Broker given;
  private final transient @Nullable HttpSettings givenSettings;
  private transient @Nullable Broker made;
  private transient @Nullable BrokerHttp http;

  /** For the container: the broker comes from the servlet context or from init-params. */
  public BrokerServlet() {
    given = null;
    givenSettings = null;
  }

  /** Serves a broker with the default settings; init-params may still set those of HTTP. */
  public BrokerServlet(Broker broker) {
    given = Objects.requireNonNull(broker, "broker");
    givenSettings = null;
  }

  /** Serves a broker with these settings; init-params are refused then. */
  public BrokerServlet(Broker broker, HttpSettings settings) {
    given = Objects.requireNonNull(broker, "broker");
    givenSettings = Objects.requireNonNull(settings, "settings");
  }

  /**
   * Returns the settings that this servlet has with these init-params: for a servlet that stands
   * beside it, such as {@code PeerJsServlet}. Init-params of other names are ignored; this servlet
   * refuses those that it does not know.
   *
   * @throws IllegalArgumentException for a value that is badly written or out of bounds
   */
  public static HttpSettings settingsOf(Map<String, String> params) {
    return new InitParams(Objects.requireNonNull(params, "params")).httpSettings();
  }

  /**
   * Takes or makes the broker.
   *
   * @throws ServletException for an init-param that is unknown, badly written, or would have no
   *     effect
   */
  @Override
  public void init() throws ServletException {
    InitParams params = new InitParams(initParameters());
    try {
      HttpSettings settings = givenSettings != null ? givenSettings : params.httpSettings();
      Broker broker = given;
      if (broker == null
          && getServletContext().getAttribute(BROKER_ATTRIBUTE) instanceof Broker shared) {
        broker = shared;
      }
      if (broker == null) {
        broker = params.broker();
        made = broker;
        getServletContext().setAttribute(BROKER_ATTRIBUTE, broker);
        getServletContext().setAttribute(MAKER_ATTRIBUTE, getServletName());
      }
      params.requireAllUsed(giver());
      http = new BrokerHttp(broker, settings);
    } catch (IllegalArgumentException wrong) {
      destroy();
      throw new ServletException("Servlet " + getServletName() + ": " + wrong.getMessage(), wrong);
    }
  }

  /** Names the source of the broker, for an error. */
  private String giver() {
    return given == null && getServletContext().getAttribute(MAKER_ATTRIBUTE) instanceof String name
        ? ("the servlet '%s', which made the broker from its own init-params:"
                + " give that servlet a second url-pattern, or move the init-param to it")
            .formatted(name)
        : "the application";
  }

  private Map<String, String> initParameters() {
    Map<String, String> params = new LinkedHashMap<>();
    for (String name : Collections.list(getInitParameterNames())) {
      params.put(name, getInitParameter(name));
    }
    return params;
  }

  /** Serves a request of any method. */
  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) {
    BrokerHttp started = http;
    if (started == null) {
      throw new IllegalStateException("The servlet has not been initialised");
    }
    started.handle(request, response);
  }

  /** Closes the broker, if this servlet has made it, and cuts what streams are left. */
  @Override
  public void destroy() {
    Broker own = made;
    if (own != null) {
      own.close();
      getServletContext().removeAttribute(BROKER_ATTRIBUTE);
      getServletContext().removeAttribute(MAKER_ATTRIBUTE);
      made = null;
    }
    BrokerHttp started = http;
    if (started != null) {
      started.close();
    }
  }
}
