package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import io.peerbroker.it.common.Needed;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.io.StringReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.eclipse.jetty.ee10.webapp.WebAppContext;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** The README's first hour, as a reader goes through it. */
final class ReadmeTest {

  /** Where the README's broker listens; the tests take a free port. */
  private static final String ADDRESS = "http://127.0.0.1:8080/";

  @TempDir private Path folder;

  private static Element xml(String text) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    return factory
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(text)))
        .getDocumentElement();
  }

  private static String child(Element parent, String name) {
    return parent.getElementsByTagName(name).item(0).getTextContent();
  }

  @Test
  @DisplayName("JVM code prints what the README says, in 20 of 20 runs.")
  void jvmCode() throws Exception {
    DocBlock block = DocBlock.of("README.md", "JVM code");
    try (DocProgram program =
        DocProgram.ofStatements(
            block,
            "io.peerbroker.core.*",
            "java.time.Instant",
            "java.util.Map",
            "java.util.concurrent.CompletableFuture",
            "java.util.concurrent.TimeUnit")) {
      assertThat(program.printed()).hasSize(1);
      Pattern printed = DocBlock.pattern(program.printed());
      for (int run = 0; run < 20; run++) {
        assertThat(String.join("\n", program.run())).matches(printed);
      }
    }
  }

  @Test
  @DisplayName("The tour with curl works when it is pasted, and prints what the README says.")
  void curl() throws Exception {
    Needed.program("curl", "curl");
    List<DocBlock> tour =
        List.of(
            DocBlock.of("README.md", "curl, open"),
            DocBlock.of("README.md", "curl, host"),
            DocBlock.of("README.md", "curl, send"));
    List<String> printed = new ArrayList<>();
    StringBuilder commands = new StringBuilder();
    try (RunningBroker broker = RunningBroker.start()) {
      for (DocBlock block : tour) {
        commands.append(block.text().replace(ADDRESS, broker.page().toString()));
        printed.addAll(block.printed());
      }
      assertThat(commands).contains(broker.page().toString());
      String said = Shell.paste(folder, commands.toString()).strip();
      assertThat(said)
          .as("stderr: %s", Files.readString(folder.resolve("stderr")))
          .matches(DocBlock.pattern(printed));
    }
  }

  @Test
  @DisplayName("This build makes the dependency.")
  void dependency() throws Exception {
    Element dependency = xml(DocBlock.of("README.md", "dependency").text());
    Element pom =
        xml(
            Files.readString(
                DocBlock.root().resolve(child(dependency, "artifactId") + "/pom.xml")));
    Element parent = (Element) pom.getElementsByTagName("parent").item(0);
    assertThat(child(dependency, "groupId")).isEqualTo(child(parent, "groupId"));
    assertThat(child(dependency, "version")).isEqualTo(child(parent, "version"));
  }

  @Test
  @DisplayName("The snippet of web.xml deploys, and its broker answers at /broker.")
  void webXml() throws Exception {
    Files.createDirectories(folder.resolve("app/WEB-INF"));
    Files.writeString(
        folder.resolve("app/WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
        %s
        </web-app>
        """
            .formatted(DocBlock.of("README.md", "web.xml").text()));
    WebAppContext app = new WebAppContext();
    app.setBaseResourceAsPath(folder.resolve("app"));
    app.setContextPath("/");
    // As if the broker's jars were in WEB-INF/lib
    app.setParentLoaderPriority(true);
    Server server = new Server(0);
    server.setHandler(app);
    server.start();
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    try (WireClient client = new WireClient(URI.create("http://127.0.0.1:" + port + "/broker"))) {
      WireChannel channel = client.openChannel();
      assertThat(client.postJson("/session", "{\"cid\":\"" + channel.cid() + "\"}").status())
          .as("requireSessionKey")
          .isEqualTo(400);
      assertThat(client.get("/list").body()).isEqualTo("[]");
      assertThat(app.getServletContext().getAttribute("io.peerbroker.core.Broker")).isNotNull();
    } finally {
      server.stop();
    }
  }

  @Test
  @DisplayName("The first command builds the jar that it runs.")
  void firstCommand() throws Exception {
    String command = DocBlock.of("README.md", "run").text().strip();
    Matcher parts = Pattern.compile("(mvn .*) && java -jar (\\S+)").matcher(command);
    assertThat(parts.matches()).as(command).isTrue();
    Path jar = Path.of(parts.group(2));
    assertThat(Files.readString(DocBlock.root().resolve(jar.getName(0)).resolve("pom.xml")))
        .contains("<outputFile>${project.build.directory}/" + jar.getFileName() + "</outputFile>");
    Commands.assertMavenTakes(parts.group(1));
    try (RunningBroker broker = RunningBroker.start()) {
      assertThat(new WireClient(broker.page()).get("/").body()).contains("<html");
    }
  }

  @Test
  @DisplayName("The command that passes the tests runs all of them.")
  void testCommand() throws Exception {
    String command = DocBlock.of("README.md", "tests").text().strip();
    assertThat(command).endsWith(" verify").doesNotContain("skip", "-pl");
    Commands.assertMavenTakes(command);
  }

  @Test
  @DisplayName("The command that installs the broker runs no test, and installs all that it needs.")
  void installCommand() throws Exception {
    String command = DocBlock.of("README.md", "install").text().strip();
    assertThat(command).contains(" install").contains(" -DskipTests ");
    Commands.assertMavenTakes(command);
    assertThat(reactorOf(command))
        .contains("io.peerbroker:broker-parent", "io.peerbroker:broker-core")
        .contains("io.peerbroker:broker-servlet", "io.peerbroker:broker-test")
        .doesNotContain("io.peerbroker:testing", "broker-examples");
  }

  /** Returns what Maven says about the modules that a command is for, without building them. */
  private static String reactorOf(String command) throws Exception {
    Needed.program("mvn", "maven");
    List<String> words = new ArrayList<>(List.of(command.split(" +", -1)));
    words.removeIf(word -> word.equals("-q"));
    words.replaceAll(
        word ->
            word.equals("install")
                ? "org.apache.maven.plugins:maven-enforcer-plugin:display-info"
                : word);
    words.add("-o");
    return Shell.run(DocBlock.root(), words);
  }
}
