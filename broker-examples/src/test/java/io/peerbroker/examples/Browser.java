package io.peerbroker.examples;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.openqa.selenium.WindowType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** A headless Chromium with a new, empty profile. */
final class Browser implements AutoCloseable {

  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

  /** Kept, as loggers are collected otherwise. It warns of missing parts that are not used here. */
  private static final Logger DEVTOOLS =
      Logger.getLogger("org.openqa.selenium.devtools.CdpVersionFinder");

  static {
    DEVTOOLS.setLevel(Level.SEVERE);
  }

  private final Path profile;
  final ChromeDriver driver;

  private Browser(Path profile, ChromeOptions options) {
    this.profile = profile;
    options.setBinary(CHROMIUM.toString());
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--allow-loopback-in-peer-connection",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--user-data-dir=" + profile,
        "--window-size=1200,800");
    var service = new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build();
    driver = new ChromeDriver(service, options);
    driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(30));
  }

  /** Starts one. Without a browser on the machine the test is skipped, but in CI it fails. */
  static Browser start() {
    return start(new ChromeOptions());
  }

  /** Starts one that has a phone's screen. */
  static Browser startPhone() {
    var options = new ChromeOptions();
    Map<String, Object> screen =
        Map.of("width", 390, "height", 844, "pixelRatio", 2.0, "mobile", true, "touch", true);
    options.setExperimentalOption("mobileEmulation", Map.of("deviceMetrics", screen));
    return start(options);
  }

  private static Browser start(ChromeOptions options) {
    boolean installed = Files.isExecutable(CHROMIUM) && Files.isExecutable(DRIVER);
    if (!"true".equals(System.getenv("CI"))) {
      assumeTrue(
          installed,
          "needs %s and %s: install the packages chromium and chromium-driver"
              .formatted(CHROMIUM, DRIVER));
    } else if (!installed) {
      throw new AssertionError("no browser in CI: %s, %s".formatted(CHROMIUM, DRIVER));
    }
    try {
      return new Browser(Files.createTempDirectory("chromium-"), options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Opens a page in the first tab. */
  void open(URI page) {
    driver.get(page.toString());
  }

  /** Opens a page in one more tab, and returns the tab's handle. */
  String openTab(URI page) {
    if (driver.getCurrentUrl().startsWith("http")) {
      driver.switchTo().newWindow(WindowType.TAB);
    }
    driver.get(page.toString());
    return driver.getWindowHandle();
  }

  /**
   * Runs an asynchronous script in the current page; it has {@code base}, {@code a} and {@code
   * done}.
   */
  Object run(String base, String script, Object... arguments) {
    return driver.executeAsyncScript(
        """
        const [base, a, done] = arguments;
        (async () => { %s })().catch((e) => done('failed: ' + e));
        """
            .formatted(script),
        base,
        List.of(arguments));
  }

  @Override
  public void close() {
    driver.quit();
    try (Stream<Path> files = Files.walk(profile)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException | UncheckedIOException e) {
      profile.toFile().deleteOnExit(); // the browser is still tidying up: the system's job then
    }
  }
}
