package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import io.peerbroker.peerjs.PeerJsServlet;
import io.peerbroker.peerjs.PeerJsSettings;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.JakartaWebSocketServerContainer;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.websocket.core.server.WebSocketServerComponents;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * The broker as a program: serves the broker itself and, at {@code /}, the demo page.
 *
 * <p>It mounts the servlet as a {@code web.xml} would, by init-params: an option stands for one or
 * two of them, {@code --set} for any, and what is not given has the servlet's own default.
 */
@Command(
    name = "broker-server",
    description = "Introduces browsers to each other, so that they can open WebRTC connections.",
    mixinStandardHelpOptions = true,
    versionProvider = BrokerServer.Version.class,
    sortOptions = false,
    usageHelpWidth = 100,
    exitCodeOnInvalidInput = 1,
    footer = {"", "Runs until Ctrl-C or SIGTERM; then it tells its clients, and ends."})
public final class BrokerServer implements Callable<Integer> {

  /** Segments of letters, digits and a few signs; none that begins with a dot. */
  private static final String PATH = "(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/";

  private static final int MAX_RATE = 1_000_000;
  private static final Duration MIN_HEARTBEAT = Duration.ofMillis(10);
  private static final Duration MAX_HEARTBEAT = Duration.ofHours(1);
  private static final Duration MIN_IDLE = Duration.ofSeconds(1);

  private static final Duration MAX_SECONDS = Duration.ofHours(1);

  /** A shorter promise is more than most clients can keep. */
  private static final Duration MIN_LEASE = Duration.ofSeconds(15);

  /** Connections beside those of streams: requests, and what browsers keep open for them. */
  private static final int OTHER_CONNECTIONS = 10_000;

  /** How many channels, and how many list streams, a broker has at most if nothing else is set. */
  private static final int DEFAULT_STREAMS = 20_000;

  /** The init-params that have an option of their own, each with its name. */
  private static final Map<String, String> OPTIONS =
      Map.ofEntries(
          Map.entry("preset", "--preset"),
          Map.entry("allowedOrigins", "--allowed-origins"),
          Map.entry("allowedHeaders", "--allowed-headers"),
          Map.entry("heartbeat", "--heartbeat"),
          Map.entry("maxResume", "--max-resume"),
          Map.entry("requireSessionKey", "--require-session-key"),
          Map.entry("maxChannels", "--max-channels"),
          Map.entry("iceServers", "--ice-server"),
          Map.entry("turnSecretFile", "--turn-secret-file"));

  @Option(
      names = "--host",
      paramLabel = "HOST",
      showDefaultValue = CommandLine.Help.Visibility.ALWAYS,
      description = "The address to listen on: 0.0.0.0 or :: for every one.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "PORT",
      showDefaultValue = CommandLine.Help.Visibility.ALWAYS,
      description = "The port; 0 picks a free one.")
  private int port = 8080;

  @Option(
      names = "--path",
      paramLabel = "PATH",
      showDefaultValue = CommandLine.Help.Visibility.ALWAYS,
      description = "Where the broker is mounted.")
  private String path = "/broker";

  @Option(
      names = "--peerjs-path",
      paramLabel = "PATH",
      description =
          "Where pages with the npm package peerjs have their server. They are in the list with the"
              + " tag peerjs. Default: nowhere")
  private @Nullable String peerJsPath;

  @Option(
      names = "--peerjs-alive-timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description =
          "After what silence a client with peerjs is given up, from 10ms to 1440m. Default: 90s")
  private @Nullable Duration peerJsAliveTimeout;

  @Option(
      names = "--demo",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Serve the demo page, or with --no-demo the broker alone.")
  private boolean demo = true;

  @Option(
      names = "--preset",
      paramLabel = "PRESET",
      description =
          "openToEverybody: the smaller limits for a broker that strangers use. Other options then"
              + " change what they name.")
  private @Nullable String preset;

  @Option(
      names = "--allowed-origins",
      paramLabel = "ORIGIN",
      split = ",",
      description = "Other sites whose pages may use the broker (https://example.org), or *.")
  private String[] allowedOrigins = {};

  @Option(
      names = "--allowed-headers",
      paramLabel = "HEADER",
      split = ",",
      description =
          "Request headers that those pages may set besides those that the protocol needs."
              + " A page that sends a token needs Authorization.")
  private String[] allowedHeaders = {};

  @Option(
      names = "--heartbeat",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "After so long a silence a stream gets a comment line: 500ms. Default: 15s")
  private @Nullable Duration heartbeat;

  @Option(
      names = "--idle-timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "75s",
      showDefaultValue = CommandLine.Help.Visibility.ALWAYS,
      description =
          "For how long a connection may be unused. Longer than a load balancer in front keeps its"
              + " own.")
  private Duration idleTimeout = JettyServer.Bounds.DEFAULTS.idle();

  @Option(
      names = "--max-resume",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description =
          "For how long a client whose connection broke may come back at most; 0s: not at all."
              + " Default: 60s")
  private @Nullable Duration maxResume;

  @Option(
      names = "--max-lease",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description =
          "For how long a client that promises to be heard from may be silent at most; 0s: for"
              + " ever. Default: 5m")
  private @Nullable Duration maxLease;

  @Option(
      names = "--require-session-key",
      description = "Hosting a session always takes the key of its channel. Recommended.")
  private boolean requireSessionKey;

  @Option(
      names = "--max-channels",
      paramLabel = "N",
      description = "Channels at one time. Default: 20000")
  private @Nullable Integer maxChannels;

  @Option(
      names = "--message-rate",
      paramLabel = "N",
      description =
          "Messages, and changes of sessions, that a channel may make a second; 0 lifts both."
              + " Default: 100")
  private @Nullable Integer messageRate;

  @Option(
      names = "--ice-server",
      paramLabel = "URL",
      description =
          "A STUN or TURN server for clients: stun:example.org,"
              + " turn:example.org:3478?transport=udp. Can be given several times.")
  private String[] iceServers = {};

  @Option(
      names = "--turn-secret-file",
      paramLabel = "FILE",
      description =
          "The file with the secret that the TURN servers share (coturn's static-auth-secret):"
              + " clients get credentials that run out after a day.")
  private @Nullable Path turnSecretFile;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description =
          "Any other setting, by the name of the servlet's init-param: --set maxWatches=500. Can be"
              + " given several times.")
  private Map<String, String> more = new TreeMap<>();

  private final Program program;

  private BrokerServer(Program program) {
    this.program = program;
  }

  /**
   * Runs the broker until the process is terminated.
   *
   * @param args the command line, see {@code --help}
   */
  public static void main(String[] args) throws Exception {
    Program.run(
        program -> {
          int exitCode =
              new CommandLine(new BrokerServer(program))
                  .setParameterExceptionHandler((wrong, arguments) -> refuse(wrong))
                  .setExecutionExceptionHandler(BrokerServer::failed)
                  .execute(args);
          if (exitCode != 0) {
            program.failed();
            System.exit(exitCode);
          }
        });
  }

  @Override
  public Integer call() throws Exception {
    Site site = site(new BrokerServlet());
    PrintStream out = System.out;
    try {
      program.serve(
          site.server(),
          site::closeBroker,
          address -> {
            out.println("listening on " + address);
            String at = site.mount().isEmpty() ? "/" : site.mount();
            out.println(
                demo
                    ? "the demo page is there, the broker at " + at
                    : "the broker is at " + at + ", without the demo page");
            if (peerJsPath != null) {
              out.println("pages with peerjs find their server at " + peerJsPath);
            }
          });
    } catch (Exception e) {
      throw asWrongOption(e);
    }
    return 0;
  }

  /** Returns the servlet's message about its init-params, in words of the command line. */
  private Exception asWrongOption(Exception failed) {
    for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
      if (cause instanceof ServletException
          && cause.getCause() instanceof IllegalArgumentException) {
        return wrongParameter(String.valueOf(cause.getCause().getMessage()));
      }
    }
    return failed;
  }

  private ParameterException wrongParameter(String why) {
    for (var each : OPTIONS.entrySet()) {
      if (why.startsWith("The init-param '" + each.getKey() + "' ")) {
        return wrong(each.getValue() + ": " + why);
      }
    }
    return wrong("--set: " + why);
  }

  /** The options of a command line, for tests that run the server within their own process. */
  static BrokerServer parse(String... args) {
    var options = new BrokerServer(new Program());
    new CommandLine(options).parseArgs(args);
    return options;
  }

  /**
   * The served parts.
   *
   * @param server not started yet
   * @param context where the servlet is mounted
   * @param mount its path, without a slash at the end; empty for the root
   */
  record Site(JettyServer server, ServletContextHandler context, String mount) {

    /** Closes the broker, once there is one; its streams are notified. */
    void closeBroker() {
      if (context.getServletContext().getAttribute(BrokerServlet.BROKER_ATTRIBUTE)
          instanceof Broker broker) {
        broker.close();
      }
    }
  }

  /**
   * Makes the server that the options ask for.
   *
   * @param servlet the one to mount, which reads the init-params
   */
  Site site(BrokerServlet servlet) {
    check();
    String mount = withoutSlash(path);
    var holder = new ServletHolder("broker", servlet);
    holder.setInitParameters(parameters());
    holder.setAsyncSupported(true);
    // At once: a wrong setting ends the start, and not the first request.
    holder.setInitOrder(0);
    var context = new ServletContextHandler("/");
    context.addServlet(holder, mount + "/*");
    if (peerJsPath != null) {
      context.addServlet(new ServletHolder("peerjs", peerJs()), withoutSlash(peerJsPath) + "/*");
    }
    // Not by JakartaWebSocketServletContainerInitializer: its filter, for endpoints by path, copies
    // the head of every request.
    context.addServletContainerInitializer(
        (classes, servlets) -> {
          WebSocketServerComponents.ensureWebSocketComponents(context.getServer(), context);
          JakartaWebSocketServerContainer.ensureContainer(servlets);
        });
    Handler handler = demo ? new DemoPage(mount, context) : context;
    var bounds =
        new JettyServer.Bounds(idleTimeout, JettyServer.Bounds.DEFAULTS.head(), connections());
    Duration silence = heartbeat == null ? HttpSettings.defaults().heartbeat() : heartbeat;
    return new Site(new JettyServer(host, port, silence, bounds, handler), context, mount);
  }

  private static String withoutSlash(String path) {
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  /** Makes the servlet for PeerJS, which has the broker of the other one, and its settings. */
  private PeerJsServlet peerJs() {
    PeerJsSettings settings = PeerJsSettings.defaults().withTag("peerjs");
    try {
      settings = settings.withHttp(BrokerServlet.settingsOf(parameters()));
    } catch (IllegalArgumentException e) {
      throw wrongParameter(String.valueOf(e.getMessage()));
    }
    if (peerJsAliveTimeout != null) {
      try {
        settings = settings.withAliveTimeout(peerJsAliveTimeout);
      } catch (IllegalArgumentException e) {
        throw wrong("--peerjs-alive-timeout: " + e.getMessage());
      }
    }
    return new PeerJsServlet(settings);
  }

  /** Room for all streams that there may be, and for requests beside them. */
  private int connections() {
    int channels = maxChannels == null ? DEFAULT_STREAMS : maxChannels;
    String watches = more.getOrDefault("maxWatches", "");
    long streams =
        channels + (watches.matches("[0-9]{1,9}") ? Long.parseLong(watches) : DEFAULT_STREAMS);
    return (int) Math.min(Integer.MAX_VALUE, streams + OTHER_CONNECTIONS);
  }

  private void check() {
    require(port >= 0 && port <= 65_535, "--port must be from 0 to 65535, not " + port);
    require(
        path.matches(PATH),
        "--path must be / or segments of letters and digits with / before each (/broker), not "
            + path);
    require(
        peerJsPath == null
            || (peerJsPath.matches(PATH)
                && !withoutSlash(peerJsPath).isEmpty()
                && !withoutSlash(peerJsPath).equals(withoutSlash(path))),
        "--peerjs-path must be another path than the broker's, not / but segments of letters and"
            + " digits with / before each (/peerjs), not "
            + peerJsPath);
    require(
        heartbeat == null
            || (heartbeat.compareTo(MIN_HEARTBEAT) >= 0 && heartbeat.compareTo(MAX_HEARTBEAT) <= 0),
        "--heartbeat must be from 10ms to 60m");
    require(
        idleTimeout.compareTo(MIN_IDLE) >= 0 && idleTimeout.compareTo(MAX_SECONDS) <= 0,
        "--idle-timeout must be from 1s to 60m");
    require(
        peerJsAliveTimeout == null || peerJsPath != null,
        "--peerjs-alive-timeout needs --peerjs-path");
    require(
        turnSecretFile == null || iceServers.length > 0,
        "--turn-secret-file needs a TURN server: --ice-server turn:example.org");
    requireSeconds("--max-resume", maxResume);
    requireSeconds("--max-lease", maxLease);
    require(
        maxChannels == null || maxChannels >= 1,
        "--max-channels must be at least 1, not " + maxChannels);
    require(
        messageRate == null || (messageRate >= 0 && messageRate <= MAX_RATE),
        "--message-rate must be from 0 to " + MAX_RATE + ", not " + messageRate);
    for (String name : more.keySet()) {
      require(
          !OPTIONS.containsKey(name),
          "--set " + name + ": that has an option of its own, " + OPTIONS.get(name));
    }
    requireAlone("--max-lease", maxLease, "leaseBounds");
    requireAlone("--message-rate", messageRate, "messageRate");
    requireAlone("--message-rate", messageRate, "sessionRate");
    try {
      HttpSettings.defaults().withAllowedOrigins(allowedOrigins);
    } catch (IllegalArgumentException e) {
      throw wrong("--allowed-origins: " + e.getMessage());
    }
    try {
      HttpSettings.defaults().withAllowedHeaders(allowedHeaders);
    } catch (IllegalArgumentException e) {
      throw wrong("--allowed-headers: " + e.getMessage());
    }
  }

  /** The options as the servlet's init-params. */
  private Map<String, String> parameters() {
    var parameters = new LinkedHashMap<String, String>(more);
    if (preset != null) {
      parameters.put("preset", preset);
    }
    if (allowedOrigins.length > 0) {
      parameters.put("allowedOrigins", String.join(",", allowedOrigins));
    }
    if (allowedHeaders.length > 0) {
      parameters.put("allowedHeaders", String.join(",", allowedHeaders));
    }
    if (heartbeat != null) {
      parameters.put("heartbeat", millis(heartbeat));
    }
    if (maxResume != null) {
      parameters.put("maxResume", millis(maxResume));
    }
    if (maxLease != null) {
      Duration minLease = maxLease.compareTo(MIN_LEASE) < 0 ? maxLease : MIN_LEASE;
      parameters.put("leaseBounds", millis(minLease) + "/" + millis(maxLease));
    }
    if (requireSessionKey) {
      parameters.put("requireSessionKey", "true");
    }
    if (iceServers.length > 0) {
      parameters.put("iceServers", String.join(",", iceServers));
    }
    if (turnSecretFile != null) {
      parameters.put("turnSecretFile", turnSecretFile.toString());
    }
    if (maxChannels != null) {
      parameters.put("maxChannels", maxChannels.toString());
    }
    if (messageRate != null) {
      parameters.put("messageRate", messageRate.toString());
      parameters.put("sessionRate", messageRate.toString());
    }
    return parameters;
  }

  private static String millis(Duration time) {
    return time.toMillis() + "ms";
  }

  private void requireSeconds(String option, @Nullable Duration time) {
    require(
        time == null
            || (time.compareTo(MAX_SECONDS) <= 0
                && time.equals(Duration.ofSeconds(time.toSeconds()))),
        option + " must be whole seconds, to 60m");
  }

  /** An option that stands for a part of a setting, or for two, can't stand beside that setting. */
  private void requireAlone(String option, @Nullable Object value, String name) {
    require(
        value == null || !more.containsKey(name),
        option + " and --set " + name + " can't be together: one of them says it all");
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      throw wrong(otherwise);
    }
  }

  private ParameterException wrong(String why) {
    return new ParameterException(new CommandLine(this), why);
  }

  private static int refuse(Exception e) {
    System.err.println("broker-server: " + e.getMessage());
    System.err.println("Try --help.");
    return 1;
  }

  /** Errors that the user can mend are explained; anything else is a bug, and shows its stack. */
  private static int failed(Exception e, CommandLine commandLine, CommandLine.ParseResult arguments)
      throws Exception {
    if (e instanceof IOException) {
      return refuse(e);
    }
    throw e;
  }

  /** Prints the version, from the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = BrokerServer.class.getPackage().getImplementationVersion();
      return new String[] {"broker-server " + (version == null ? "(not packaged)" : version)};
    }
  }
}
