package io.peerbroker.examples;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The demo page in one tab, as a person uses it: by what is written on it. */
final class DemoTab {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final Duration POLL = Duration.ofMillis(50);

  private final ChromeDriver driver;
  private final String handle;

  private DemoTab(Browser browser, String handle) {
    this.driver = browser.driver;
    this.handle = handle;
  }

  /** Opens the page in a new tab. */
  static DemoTab open(Browser browser, URI page) {
    return new DemoTab(browser, browser.openTab(page));
  }

  /** Types a name. */
  void type(String name) {
    field("Your name").sendKeys(name);
  }

  /** Types a name and tags, and joins. */
  DemoTab join(String name, String tags) {
    type(name);
    field("Your tags").sendKeys(tags);
    button("Join").click();
    awaitStatus("You are online.");
    return this;
  }

  /** Clicks an entry under "Who is here". */
  void pick(String name) {
    click(() -> person("others", name));
  }

  /** Clicks a chat under "Chats". */
  void openChat(String name) {
    click(() -> person("chats", name));
  }

  /** Types a message and sends it with Enter. */
  void say(String text) {
    field("Message").sendKeys(text, Keys.ENTER);
  }

  /** Waits for a message of the other side in the open chat. */
  void awaitHeard(String text) {
    awaitText("#log .them .text", text);
  }

  /** Waits for a message of the own side that is marked so. */
  void awaitNotSent(String why) {
    awaitText("#log .why", why);
  }

  /** Waits for what the page says of the open chat, below the name. */
  void awaitChatState(String words) {
    awaitText("#chat-state", words);
  }

  /** Waits for what the page says in the course of the open chat. */
  void awaitNote(String words) {
    awaitText("#log .note", words);
  }

  /** Waits until the page reports a call everywhere. */
  void awaitIncoming(String words) {
    awaitText("#incoming:not([hidden]) p", words);
  }

  /** Goes back, as by the browser's or the phone's own key. */
  void goBack() {
    here().navigate().back();
  }

  /** Waits for what the page says of the broker. */
  void awaitStatus(String words) {
    awaitText("#status-words", words);
  }

  /** Waits for words beside a field or in place of the list. */
  void awaitWords(String words) {
    await(
        () ->
            here().findElements(By.xpath("//p[contains(., " + quoted(words) + ")]")).stream()
                .filter(WebElement::isDisplayed)
                .findFirst());
  }

  /** Waits until exactly these are listed under "Who is here". */
  void awaitOthers(String... names) {
    await(
        () -> names("others").equals(List.of(names)) ? Optional.of(true) : Optional.empty(),
        () -> "%s listed; there is %s".formatted(List.of(names), names("others")));
  }

  /** The same, in whatever order they have come. */
  void awaitOthersInAnyOrder(String... names) {
    List<String> sorted = Stream.of(names).sorted().toList();
    await(
        () ->
            Optional.of(names("others"))
                .filter(all -> all.stream().sorted().toList().equals(sorted)),
        () -> "%s listed; there is %s".formatted(sorted, names("others")));
  }

  /** The names under "Chats". */
  List<String> chats() {
    return names("chats");
  }

  /** Replaces what stands in the filter. */
  void filter(String filter) {
    WebElement field = field("Only those tagged");
    field.sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
    field.sendKeys(filter);
  }

  /** Presses a button by its words. */
  void press(String words) {
    button(words).click();
  }

  /** Runs a script in the page. */
  Object evaluate(String script) {
    return here().executeScript(script);
  }

  /** Closes the tab. */
  void close() {
    here().close();
  }

  private ChromeDriver here() {
    driver.switchTo().window(handle);
    return driver;
  }

  private WebElement field(String label) {
    return await(
        () ->
            here().findElements(By.xpath("//label[contains(., " + quoted(label) + ")]")).stream()
                .map(each -> driver.findElement(By.id(each.getDomAttribute("for"))))
                .filter(WebElement::isDisplayed)
                .findFirst());
  }

  private WebElement button(String words) {
    return await(
        () ->
            here().findElements(By.xpath("//button[. = " + quoted(words) + "]")).stream()
                .filter(each -> each.isDisplayed() && each.isEnabled())
                .findFirst());
  }

  private Optional<WebElement> person(String list, String name) {
    return here().findElements(By.cssSelector("#" + list + " button")).stream()
        .filter(each -> each.findElement(By.className("name")).getText().equals(name))
        .findFirst();
  }

  private List<String> names(String list) {
    return here().findElements(By.cssSelector("#" + list + " .name")).stream()
        .map(WebElement::getText)
        .toList();
  }

  private void awaitText(String selector, String words) {
    await(
        () ->
            here().findElements(By.cssSelector(selector)).stream()
                .filter(each -> each.getText().contains(words))
                .findFirst(),
        () -> "'%s' in %s; there is %s".formatted(words, selector, texts(selector)));
  }

  private List<String> texts(String selector) {
    return here().findElements(By.cssSelector(selector)).stream().map(WebElement::getText).toList();
  }

  /** Clicks what may be drawn anew at any time. */
  private void click(Supplier<Optional<WebElement>> what) {
    await(
        () -> {
          Optional<WebElement> there = what.get();
          there.ifPresent(WebElement::click);
          return there;
        });
  }

  private String shown() {
    return here().findElement(By.tagName("body")).getText();
  }

  private <T> T await(Supplier<Optional<T>> what) {
    return await(what, () -> "it");
  }

  private <T> T await(Supplier<Optional<T>> what, Supplier<String> description) {
    return new WebDriverWait(driver, PATIENCE, POLL)
        .ignoring(StaleElementReferenceException.class)
        .withMessage(() -> description.get() + "; the page says:\n" + shown())
        .until(any -> what.get().orElse(null));
  }

  /** The page's words as an XPath string; none of ours has a double quote. */
  private static String quoted(String words) {
    return '"' + words + '"';
  }
}
