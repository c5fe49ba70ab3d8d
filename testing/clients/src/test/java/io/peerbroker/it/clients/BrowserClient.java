package io.peerbroker.it.clients;

import io.peerbroker.it.common.Needed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** The EventSource of a headless Chromium. */
final class BrowserClient implements Client {

  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

  /** Kept, as loggers are collected otherwise. It warns of missing parts that are not used here. */
  private static final Logger DEVTOOLS =
      Logger.getLogger("org.openqa.selenium.devtools.CdpVersionFinder");

  static {
    DEVTOOLS.setLevel(Level.SEVERE);
  }

  private static final Duration SCRIPT_TIMEOUT = Duration.ofSeconds(30);

  private final Path profile;
  private final ChromeDriver driver;
  private int streams;

  private BrowserClient(Path profile) {
    this.profile = profile;
    ChromeOptions options = new ChromeOptions();
    options.setBinary(CHROMIUM.toString());
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Otherwise WebRTC leaves out the only interface that tests use.
        "--allow-loopback-in-peer-connection",
        "--user-data-dir=" + profile);
    driver =
        new ChromeDriver(
            new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build(),
            options);
  }

  static BrowserClient start(URI broker) throws IOException {
    Needed.require(
        Files.isExecutable(CHROMIUM) && Files.isExecutable(DRIVER), CHROMIUM + " and " + DRIVER);
    BrowserClient browser = new BrowserClient(Files.createTempDirectory("chromium-"));
    // Any page on the loopback interface will do: a browser gives no other page access to it.
    browser.driver.get(broker + "/list");
    browser.driver.executeScript("window.streams = []");
    return browser;
  }

  /**
   * Runs a script in the page, and returns what its promise is resolved with.
   *
   * @param script the body of an async function, which finds the arguments in {@code args}
   */
  Object run(String script, Object... args) {
    driver.manage().timeouts().scriptTimeout(SCRIPT_TIMEOUT);
    return driver.executeAsyncScript(
        """
        const args = [...arguments];
        const done = args.pop();
        (async () => { %s })().then(done, (failure) => done(`failed: ${failure}`));
        """
            .formatted(script),
        args);
  }

  @Override
  public Stream open(URI uri) {
    driver.executeScript(
        """
        const source = new EventSource(arguments[0]);
        const stream = { seen: [], source };
        window.streams.push(stream);
        for (const name of ['channel', 'message', 'close']) {
          source.addEventListener(name, ({ data, lastEventId }) => {
            stream.seen.push([name, data, lastEventId]);
            if (name === 'close' && JSON.parse(data).reason === 'superseded') source.close();
          });
        }
        """,
        uri.toString());
    int number = streams++;
    return new Stream() {
      @Override
      public List<Seen> seen() {
        Object events = driver.executeScript("return window.streams[arguments[0]].seen", number);
        List<Seen> seen = new ArrayList<>();
        for (Object event : (List<?>) events) {
          List<?> fields = (List<?>) event;
          seen.add(
              new Seen((String) fields.get(0), (String) fields.get(1), (String) fields.get(2)));
        }
        return seen;
      }

      @Override
      public boolean isGivenUp() {
        Object state =
            driver.executeScript("return window.streams[arguments[0]].source.readyState", number);
        return state.equals(2L);
      }
    };
  }

  @Override
  public void close() {
    driver.quit();
    try (var files = Files.walk(profile)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException | UncheckedIOException e) {
      profile.toFile().deleteOnExit(); // the browser is still tidying up: the system's job then
    }
  }
}
