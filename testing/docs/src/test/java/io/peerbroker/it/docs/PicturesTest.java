package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Refusal;
import io.peerbroker.it.common.DocBlock;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * The pictures in docs/pictures. An element of the class {@code name} shows nothing but names, and
 * each of these exists.
 */
final class PicturesTest {

  /** The elements that a picture may have. None of them runs or loads anything. */
  private static final Set<String> ELEMENTS =
      Set.of(
          "svg", "title", "desc", "style", "defs", "marker", "rect", "circle", "path", "text",
          "tspan");

  private static final Pattern EMBEDDED = Pattern.compile("!\\[([^]]*)]\\(([^)]+\\.svg)\\)");

  /** Fenced blocks, indented blocks, and code between backticks. */
  private static final Pattern CODE = Pattern.compile("(?ms)^```.*?^```|^ {4}[^\\n]*|`[^`]+`");

  /** An event, a request, a member of JSON, a path, or an identifier. */
  private static final Pattern NAME =
      Pattern.compile(
          "event: \\w+|(?:GET|POST) /[\\w/<>]+|\"\\w+\":|/[\\w/<>-]+|\\b[A-Za-z][\\w-]*(?:\\.\\w+)?");

  private static final Path FOLDER = DocBlock.root().resolve("docs/pictures");

  static List<String> pictures() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Document parse(String picture) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    return factory.newDocumentBuilder().parse(FOLDER.resolve(picture).toFile());
  }

  private static List<Element> elements(Document picture) {
    NodeList all = picture.getElementsByTagName("*");
    return IntStream.range(0, all.getLength()).mapToObj(at -> (Element) all.item(at)).toList();
  }

  /** Returns which documents embed each picture. */
  private static Map<String, List<String>> embedded() {
    Map<String, List<String>> found = new TreeMap<>();
    for (String page : DocBlock.pages()) {
      Path from = DocBlock.root().resolve(page);
      for (MatchResult image : EMBEDDED.matcher(ProjectFiles.read(from)).results().toList()) {
        Path file = from.resolveSibling(image.group(2)).normalize();
        assertThat(file).as("%s embeds it", page).isRegularFile().hasParent(FOLDER);
        assertThat(image.group(1)).as("the text in %s for %s", page, file).isNotBlank();
        found.computeIfAbsent(file.getFileName().toString(), name -> new ArrayList<>()).add(page);
      }
    }
    return found;
  }

  private static String code(String page) {
    return CODE.matcher(ProjectFiles.read(DocBlock.root().resolve(page)))
        .results()
        .map(MatchResult::group)
        .collect(Collectors.joining("\n"));
  }

  /** Returns the public types, their public methods, and both together: {@code Channel.send}. */
  private static Set<String> api() throws ClassNotFoundException {
    Set<String> names = new HashSet<>();
    for (String module : List.of("core", "servlet", "peerjs")) {
      String folder = "io/peerbroker/" + module;
      for (Path file : ProjectFiles.java("broker-" + module + "/src/main/java/" + folder)) {
        String name = file.getFileName().toString().replace(".java", "");
        if (name.equals("package-info")) {
          continue;
        }
        Class<?> type = Class.forName(folder.replace('/', '.') + "." + name);
        if (Modifier.isPublic(type.getModifiers())) {
          names.add(name);
          for (Method method : type.getMethods()) {
            names.add(method.getName());
            names.add(name + "." + method.getName());
          }
        }
      }
    }
    return names;
  }

  /** Returns the names that a picture shows, without the placeholders for values. */
  private static Set<String> names(String picture) throws Exception {
    return elements(parse(picture)).stream()
        .filter(element -> List.of(element.getAttribute("class").split(" ")).contains("name"))
        .map(PicturesTest::textWithoutCode)
        .flatMap(text -> NAME.matcher(text).results().map(MatchResult::group))
        .collect(Collectors.toSet());
  }

  private static String textWithoutCode(Node node) {
    if (node.getNodeType() == Node.TEXT_NODE) {
      return node.getNodeValue();
    }
    if (node instanceof Element element && element.getAttribute("class").equals("code")) {
      return "…";
    }
    NodeList children = node.getChildNodes();
    return IntStream.range(0, children.getLength())
        .mapToObj(at -> textWithoutCode(children.item(at)))
        .collect(Collectors.joining());
  }

  private static boolean isIn(String code, String name) {
    String before = Character.isLetter(name.charAt(0)) ? "(?<![\\w-])" : "";
    String after = name.endsWith(":") ? "" : "(?![\\w-])";
    return Pattern.compile(before + Pattern.quote(name) + after).matcher(code).find();
  }

  @ParameterizedTest
  @MethodSource("pictures")
  @DisplayName("A screen reader gets a picture's title and description.")
  void description(String picture) throws Exception {
    Element svg = parse(picture).getDocumentElement();
    assertThat(svg.getTagName()).isEqualTo("svg");
    assertThat(svg.getAttribute("role")).isEqualTo("img");
    assertThat(svg.getAttribute("aria-labelledby")).isEqualTo("title desc");
    for (String name : List.of("title", "desc")) {
      NodeList found = svg.getElementsByTagName(name);
      assertThat(found.getLength()).as(name).isOne();
      Element element = (Element) found.item(0);
      assertThat(element.getAttribute("id")).isEqualTo(name);
      assertThat(element.getTextContent()).isNotBlank();
    }
  }

  @ParameterizedTest
  @MethodSource("pictures")
  @DisplayName("A picture runs nothing, and loads nothing from elsewhere.")
  void selfContained(String picture) throws Exception {
    List<Element> elements = elements(parse(picture));
    Set<String> ids =
        elements.stream().map(element -> element.getAttribute("id")).collect(Collectors.toSet());
    for (Element element : elements) {
      assertThat(ELEMENTS).contains(element.getTagName());
      for (int at = 0; at < element.getAttributes().getLength(); at++) {
        Node attribute = element.getAttributes().item(at);
        assertThat(attribute.getNodeName())
            .doesNotStartWithIgnoringCase("on")
            .doesNotContain("href");
        if (attribute.getNodeValue().contains("url(")) {
          assertThat(attribute.getNodeValue()).startsWith("url(#").endsWith(")");
          assertThat(ids).contains(attribute.getNodeValue().replaceAll("^url\\(#|\\)$", ""));
        }
      }
      if (element.getTagName().equals("style")) {
        assertThat(element.getTextContent())
            .doesNotContain("url(", "@import", "@font-face")
            .contains("prefers-color-scheme: dark");
      }
    }
  }

  @Test
  @DisplayName("Each picture is embedded, with a text, by a document under its right path.")
  void embedding() throws IOException {
    assertThat(embedded().keySet()).containsExactlyElementsOf(pictures());
  }

  @ParameterizedTest
  @MethodSource("pictures")
  @DisplayName("Each name exists in the protocol, in the API, or in a document with the picture.")
  void namesExist(String picture) throws Exception {
    StringBuilder code = new StringBuilder(code("docs/protocol.md"));
    for (String page : embedded().getOrDefault(picture, List.of())) {
      code.append('\n').append(code(page));
    }
    Set<String> api = api();
    assertThat(names(picture))
        .isNotEmpty()
        .allSatisfy(
            name ->
                assertThat(api.contains(name) || isIn(code.toString(), name)).as(name).isTrue());
  }

  @Test
  @DisplayName("The life of a channel has each reason for which a channel closes.")
  void reasons() throws Exception {
    assertThat(names("channel-life.svg"))
        .containsAll(
            Stream.of(CloseReason.values())
                .filter(
                    // of list streams alone
                    reason -> reason != CloseReason.OVERFLOW && reason != CloseReason.SCOPE_CHANGED)
                .map(CloseReason::code)
                .toList());
  }

  @Test
  @DisplayName("The way of a request has each code of the table of refusals, with its status.")
  void refusals() throws Exception {
    Set<String> table =
        Pattern.compile("(?m)^\\| (\\d{3}) \\| `(\\w+)` \\|")
            .matcher(ProjectFiles.read(DocBlock.root().resolve("docs/protocol.md")))
            .results()
            .map(row -> row.group(1) + " " + row.group(2))
            .collect(Collectors.toSet());
    assertThat(table).hasSizeGreaterThanOrEqualTo(Refusal.Code.values().length);
    Set<String> shown = new HashSet<>();
    for (Element text : elements(parse("who-is-asked.svg"))) {
      if (text.getAttribute("class").equals("no")) {
        String status = "";
        for (MatchResult word :
            Pattern.compile("\\d{3}|\\w+_\\w+|denied|internal")
                .matcher(text.getTextContent())
                .results()
                .toList()) {
          if (Character.isDigit(word.group().charAt(0))) {
            status = word.group();
          } else {
            shown.add(status + " " + word.group());
          }
        }
      }
    }
    assertThat(shown).isEqualTo(table);
  }
}
