package io.peerbroker.examples;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Limits;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The broker as a program: serves the broker itself and, at {@code /}, the demo page. */
@Command(
    name = "broker-server",
    description = "Introduces browsers to each other, so that they can open WebRTC connections.",
    mixinStandardHelpOptions = true,
    versionProvider = BrokerServer.Version.class,
    showDefaultValues = true,
    sortOptions = false,
    usageHelpWidth = 100,
    exitCodeOnInvalidInput = 1,
    footer = {"", "Runs until Ctrl-C or SIGTERM; then it tells its clients, and ends."})
public final class BrokerServer implements Callable<Integer> {

  /** Segments of letters, digits and a few signs; none that begins with a dot. */
  private static final String PATH = "(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/";

  private static final int MAX_RATE = 1_000_000;
  private static final Duration MIN_HEARTBEAT = Duration.ofMillis(10);
  private static final Duration MAX_HEARTBEAT = Duration.ofMinutes(10);

  private static final Duration MAX_SECONDS = Duration.ofHours(1);

  /** A shorter promise is more than most clients can keep. */
  private static final Duration MIN_LEASE = Duration.ofSeconds(15);

  @Option(names = "--host", paramLabel = "HOST", description = "The address to listen on.")
  private String host = "127.0.0.1";

  @Option(names = "--port", paramLabel = "PORT", description = "The port; 0 picks a free one.")
  private int port = 8080;

  @Option(names = "--path", paramLabel = "PATH", description = "Where the broker is mounted.")
  private String path = "/broker";

  @Option(
      names = "--allowed-origins",
      paramLabel = "ORIGIN",
      split = ",",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "Other sites whose pages may use the broker (https://example.org), or *.")
  private String[] allowedOrigins = {};

  @Option(
      names = "--heartbeat",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "15s",
      description = "After so long a silence a stream gets a comment line: 15s, 500ms.")
  private Duration heartbeat = Duration.ofSeconds(15);

  @Option(
      names = "--max-resume",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "60s",
      description =
          "For how long a client whose connection broke may come back at most; 0s: not at all.")
  private Duration maxResume = Duration.ofSeconds(60);

  @Option(
      names = "--max-lease",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "5m",
      description =
          "For how long a client that promises to be heard from may be silent at most; 0s: for ever.")
  private Duration maxLease = Duration.ofMinutes(5);

  @Option(
      names = "--require-session-key",
      description = "Hosting a session always takes the key of its channel. Recommended.")
  private boolean requireSessionKey;

  @Option(names = "--max-channels", paramLabel = "N", description = "Channels at one time.")
  private int maxChannels = 20_000;

  @Option(
      names = "--message-rate",
      paramLabel = "N",
      description =
          "Messages, and changes of sessions, that a channel may make a second; 0 lifts both.")
  private int messageRate = 100;

  private BrokerServer() {}

  /**
   * Runs the broker until the process is told to end.
   *
   * @param args the command line, see {@code --help}
   */
  public static void main(String[] args) {
    Logs.quiet();
    int exitCode =
        new CommandLine(new BrokerServer())
            .setParameterExceptionHandler((wrong, arguments) -> refuse(wrong))
            .setExecutionExceptionHandler(BrokerServer::failed)
            .execute(args);
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  @Override
  public Integer call() throws Exception {
    check();
    String mount = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    HttpSettings settings = httpSettings();
    Broker broker = broker();

    var site = new ServletContextHandler("/");
    var servlet = new ServletHolder(new BrokerServlet(broker, settings));
    servlet.setAsyncSupported(true);
    site.addServlet(servlet, mount + "/*");

    var server = new JettyServer(host, port, heartbeat, new DemoPage(mount, site));
    String address = server.start();
    server.endWithProcess(broker);

    PrintStream out = System.out;
    out.println("listening on " + address);
    out.println("the demo page is there, the broker at " + (mount.isEmpty() ? "/" : mount));
    server.join();
    return 0;
  }

  private void check() {
    require(port >= 0 && port <= 65_535, "--port must be from 0 to 65535, not " + port);
    require(
        path.matches(PATH),
        "--path must be / or segments of letters and digits with / before each (/broker), not "
            + path);
    require(
        heartbeat.compareTo(MIN_HEARTBEAT) >= 0 && heartbeat.compareTo(MAX_HEARTBEAT) <= 0,
        "--heartbeat must be from 10ms to 10m");
    requireSeconds("--max-resume", maxResume);
    requireSeconds("--max-lease", maxLease);
    require(maxChannels >= 1, "--max-channels must be at least 1, not " + maxChannels);
    require(
        messageRate >= 0 && messageRate <= MAX_RATE,
        "--message-rate must be from 0 to " + MAX_RATE + ", not " + messageRate);
  }

  private HttpSettings httpSettings() {
    try {
      return HttpSettings.defaults().withHeartbeat(heartbeat).withAllowedOrigins(allowedOrigins);
    } catch (IllegalArgumentException e) {
      throw wrong("--allowed-origins: " + e.getMessage());
    }
  }

  private Broker broker() {
    var rate = new Limits.Rate(messageRate, 2 * messageRate);
    Duration minLease = maxLease.compareTo(MIN_LEASE) < 0 ? maxLease : MIN_LEASE;
    return Broker.builder()
        .maxChannels(maxChannels)
        .maxResume(maxResume)
        .leaseBounds(minLease, maxLease)
        .messageRate(rate)
        .sessionRate(rate)
        .requireSessionKey(requireSessionKey)
        .build();
  }

  private void requireSeconds(String option, Duration time) {
    require(
        time.compareTo(MAX_SECONDS) <= 0 && time.equals(Duration.ofSeconds(time.toSeconds())),
        option + " must be whole seconds, to 60m");
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

  /** What the user can mend is said in words; anything else is a bug, and shows its stack. */
  private static int failed(Exception e, CommandLine commandLine, CommandLine.ParseResult arguments)
      throws Exception {
    if (e instanceof IOException) {
      return refuse(e);
    }
    throw e;
  }

  /** Says what version this is, from the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = BrokerServer.class.getPackage().getImplementationVersion();
      return new String[] {"broker-server " + (version == null ? "(not packaged)" : version)};
    }
  }
}
