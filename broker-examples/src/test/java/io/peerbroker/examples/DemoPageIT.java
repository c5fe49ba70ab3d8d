package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.tck.FaultProxy;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The demo page, driven as a person would: by names, labels and buttons. */
@Execution(ExecutionMode.CONCURRENT)
class DemoPageIT {

  /** Holds back the page's messages to others until the gate opens: their offers cross. */
  private static final String HOLD_BACK =
      """
      const unhindered = window.fetch;
      window.gate = new BroadcastChannel('gate');
      const opened = new Promise((resolve) => { window.gate.onmessage = resolve; });
      window.fetch = async (url, options) => {
        if (url.includes('/send/')) await opened;
        return unhindered(url, options);
      };
      """;

  /** Far less than the grace for which the page asks. */
  private static final Duration SOON = Duration.ofSeconds(10);

  /** Makes the page's clock run a hundred times as fast, and notes its pings with their answers. */
  private static final String HURRY =
      """
      const unhurried = window.setInterval;
      window.setInterval = (what, every) => unhurried(what, every / 100);
      const unwatched = window.fetch;
      window.pings = [];
      window.fetch = async (url, options) => {
        const answer = await unwatched(url, options);
        if (url.endsWith('/ping')) window.pings.push(answer.status + ' ' + options.body);
        return answer;
      };
      """;

  private final Browser browser = Browser.start();
  private BrokerProcess broker = BrokerProcess.run("--port", "0");
  private final URI page = broker.awaitListening();

  @AfterEach
  void end() {
    browser.close();
    broker.close();
  }

  @Test
  void threeTabs_findEachOtherAndTalk() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "chess, london");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "chess, busy");
    DemoTab kit = DemoTab.open(browser, page).join("Kit", "");

    ada.awaitOthers("Bob", "Kit");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");
    ada.say("Good morning!");
    bob.openChat("Ada");
    bob.awaitHeard("Good morning!");
    bob.say("And to you.");
    ada.awaitHeard("And to you.");

    kit.pick("Ada");
    kit.awaitChatState("Connected, browser to browser");
    kit.say("Hello?");
    ada.openChat("Kit");
    ada.awaitHeard("Hello?");
    ada.openChat("Bob");
    ada.say("Your move.");
    bob.awaitHeard("Your move.");
    assertThat(ada.chats()).containsExactly("Bob", "Kit");

    bob.close();
    ada.awaitNote("Bob has left.");
    ada.awaitChatState("This chat has ended.");
    ada.awaitOthers("Kit");
  }

  @Test
  void filter_showsOnlyThoseTagged() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab.open(browser, page).join("Bob", "chess, busy");
    DemoTab kit = DemoTab.open(browser, page).join("Kit", "chess");

    ada.awaitOthers("Bob", "Kit");
    ada.filter("chess, !busy");
    ada.awaitOthers("Kit");
    ada.filter("go");
    ada.awaitWords("Nobody with these tags.");
    ada.filter("chess,,go");
    ada.awaitWords("in a filter");
    ada.awaitOthers();
    ada.filter("go");
    ada.awaitWords("Nobody with these tags.");

    kit.press("Change");
    kit.evaluate("document.getElementById('tags').value = 'go'");
    kit.press("Save");
    ada.awaitOthers("Kit");
  }

  @Test
  void nameMissing_isSaidAtTheField() {
    DemoTab ada = DemoTab.open(browser, page);
    ada.press("Join");
    ada.awaitWords("Type a name, so that the others know who you are.");
    assertThat(ada.evaluate("return document.activeElement.id")).isEqualTo("name");

    DemoTab.open(browser, page).join("Bob", "");
    ada.pick("Bob");
    ada.awaitWords("Type a name first, so that Bob knows who is calling.");
    ada.type("Ada");
    ada.pick("Bob");
    ada.awaitWords("Press Join first, so that Bob knows who is calling.");
    assertThat(ada.evaluate("return document.activeElement.id")).isEqualTo("join");
    ada.press("Join");
    ada.awaitStatus("You are online.");
    ada.pick("Bob");
    ada.awaitChatState("Connected");
  }

  @Test
  void joinTwiceAtOnce_isOneInTheList() {
    DemoTab ada = DemoTab.open(browser, page);
    ada.awaitStatus("The broker is there.");
    ada.type("Ada");
    ada.evaluate(
        "const {form} = document.getElementById('join'); form.requestSubmit();"
            + "document.getElementById('name').value = 'Ada Lovelace'; form.requestSubmit();");
    ada.awaitStatus("You are online.");

    DemoTab.open(browser, page).join("Bob", "");
    DemoTab.open(browser, page).join("Kit", "").awaitOthers("Ada Lovelace", "Bob");
  }

  @Test
  void whatStrangersWrite_isTextOnly() {
    String name = "<img src=x onerror=alert(1)>";
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "<b>bold</b>");
    DemoTab eve = DemoTab.open(browser, page).join(name, "");
    ada.pick(name);
    ada.awaitChatState("Connected");
    eve.openChat("Ada");
    eve.say("<script>alert(2)</script>");
    ada.awaitHeard("<script>alert(2)</script>");
    assertThat(ada.evaluate("return document.querySelectorAll('main img, main script').length"))
        .isEqualTo(0L);
  }

  @Test
  void bothClickAtOnce_oneChatEach() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    for (DemoTab each : List.of(ada, bob)) {
      each.evaluate(HOLD_BACK);
    }
    ada.pick("Bob");
    bob.pick("Ada");
    ada.awaitChatState("Calling Bob…");
    bob.awaitChatState("Calling Ada…");
    DemoTab.open(browser, page.resolve("/config.json"))
        .evaluate("new BroadcastChannel('gate').postMessage('open')");

    ada.awaitChatState("Connected, browser to browser");
    bob.awaitChatState("Connected, browser to browser");
    ada.say("You called?");
    bob.awaitHeard("You called?");
    bob.say("No, you did.");
    ada.awaitHeard("No, you did.");
    assertThat(ada.chats()).containsExactly("Bob");
    assertThat(bob.chats()).containsExactly("Ada");
  }

  @Test
  @DisplayName("While the broker is away the chat goes on, and the page recovers.")
  void brokerComesBack_chatGoesOn() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");

    DemoTab.open(browser, page).join("Eve", "");
    ada.awaitOthers("Bob", "Eve");

    broker.close();
    ada.awaitStatus("The broker is away. Trying again… Your open chats go on without it.");
    ada.pick("Eve");
    ada.awaitWords("The broker is away: Eve can be called when it is back.");
    bob.openChat("Ada");
    bob.say("Still there?");
    ada.awaitHeard("Still there?");

    broker = BrokerProcess.run("--port", String.valueOf(page.getPort()));
    broker.awaitListening();
    ada.awaitStatus("You are online.");
    bob.awaitStatus("You are online.");
    ada.awaitOthersInAnyOrder("Bob", "Eve");

    // The same Bob, though the broker has given out a new address: a click opens the old chat.
    ada.pick("Bob");
    ada.awaitHeard("Still there?");
    assertThat(ada.chats()).containsExactly("Bob");

    // And a new visitor can be called through the new broker.
    DemoTab.open(browser, page).join("Kit", "");
    bob.pick("Kit");
    bob.awaitChatState("Connected, browser to browser");
  }

  @Test
  void connectionIsCut_sessionAndChannelGoOn() throws Exception {
    try (FaultProxy network = FaultProxy.before(page)) {
      DemoTab ada = DemoTab.open(browser, network.base()).join("Ada", "");
      DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
      bob.awaitOthers("Ada");
      String sessions = list();
      for (int i = 0; i < 2; i++) {
        int before = network.accepted();
        network.reset();
        await().atMost(SOON).until(() -> network.accepted() > before);
        ada.awaitStatus("You are online.");
      }
      // A new channel would have made a new session.
      assertThat(list()).isEqualTo(sessions);
      bob.pick("Ada");
      bob.awaitChatState("Connected, browser to browser");
      ada.openChat("Bob");
      ada.say("Still here.");
      bob.awaitHeard("Still here.");
    }
  }

  @Test
  void whatIsSentDuringACut_comesAfterIt() throws Exception {
    try (FaultProxy network = FaultProxy.before(page)) {
      DemoTab ada = DemoTab.open(browser, network.base()).join("Ada", "");
      DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
      network.use(FaultProxy.Way.STALL);
      network.reset();
      ada.awaitStatus("The broker is away. Trying again…");
      bob.pick("Ada");
      bob.awaitChatState("Calling Ada…");
      network.use(FaultProxy.Way.PASS);
      ada.awaitStatus("You are online.");
      bob.awaitChatState("Connected, browser to browser");
    }
  }

  @Test
  @DisplayName("A stream that is held back is found out, and nothing is missed.")
  void heldBackStream_isFoundOut() throws Exception {
    broker.close();
    broker = BrokerProcess.run("--port", "0", "--heartbeat", "1s");
    URI direct = broker.awaitListening();
    try (FaultProxy network = FaultProxy.before(direct)) {
      DemoTab ada = DemoTab.open(browser, network.base()).join("Ada", "");
      DemoTab bob = DemoTab.open(browser, direct).join("Bob", "");
      bob.awaitOthers("Ada");
      ada.awaitOthers("Bob");
      // What Ada's page sends gets through, and the browser takes her streams for open.
      network.silenceStreams();
      bob.pick("Ada");
      bob.awaitChatState("Connected, browser to browser");
      ada.openChat("Bob");
      ada.say("Still here.");
      bob.awaitHeard("Still here.");
      DemoTab kit = DemoTab.open(browser, direct).join("Kit", "");
      kit.awaitOthersInAnyOrder("Ada", "Bob");
      ada.awaitOthersInAnyOrder("Bob", "Kit");
    }
  }

  @Test
  void calledPageIsAway_callerIsToldAndItRingsLater() throws Exception {
    broker.close();
    broker = BrokerProcess.run("--port", "0", "--heartbeat", "200ms");
    URI direct = broker.awaitListening();
    try (FaultProxy network = FaultProxy.before(direct);
        WireClient client = new WireClient(direct.resolve("/broker"))) {
      DemoTab ada = DemoTab.open(browser, network.base()).join("Ada", "");
      String sid =
          client
              .get("/list")
              .json()
              .getAsJsonArray()
              .get(0)
              .getAsJsonObject()
              .get("sid")
              .getAsString();
      DemoTab bob = DemoTab.open(browser, direct).join("Bob", "");
      network.use(FaultProxy.Way.STALL);
      network.reset();
      WireChannel probe = client.openChannel();
      await().atMost(SOON).until(() -> probe.send(sid, "1").member("delivery").equals("queued"));
      bob.pick("Ada");
      bob.awaitChatState("Calling Ada… That page is away. It rings if it comes back.");
      network.use(FaultProxy.Way.PASS);
      bob.awaitChatState("Connected, browser to browser");
      ada.awaitIncoming("Bob has called you");
    }
  }

  @Test
  void page_saysThatItIsThereAndWhatItHasSeen() {
    fromTheStart(HURRY);
    DemoTab ada = DemoTab.open(browser, page);
    ada.join("Ada", "");
    String pings = "return window.pings.filter((each) => /^200 .*\"seen\":\"/.test(each)).length";
    await().atMost(SOON).until(() -> (long) ada.evaluate(pings) >= 3);
  }

  /**
   * As on a page that has no WebRTC and is answered slowly; notes every name under "Who is here".
   */
  private static final String ANSWER_LATE =
      """
      delete globalThis.RTCPeerConnection;
      const prompt = window.fetch;
      window.fetch = async (url, options) => {
        const answer = await prompt(url, options);
        if (url.endsWith('/session')) await new Promise((resolve) => setTimeout(resolve, 2_000));
        return answer;
      };
      window.seen = [];
      document.addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
        for (const { textContent } of document.querySelectorAll('#others .name')) seen.push(textContent);
      }).observe(document.body, { subtree: true, childList: true, characterData: true }));
      """;

  @Test
  @DisplayName("After a restart of the broker the page never takes its own session for a stranger.")
  void brokerRestarts_ownSessionIsNoStranger() {
    fromTheStart(ANSWER_LATE);
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    broker.close();
    ada.awaitStatus("The broker is away. Trying again…");
    broker = BrokerProcess.run("--port", String.valueOf(page.getPort()));
    broker.awaitListening();
    ada.awaitStatus("You are online.");
    DemoTab.open(browser, page).join("Bob", "").awaitOthers("Ada");
    ada.awaitOthers("Bob");
    assertThat((List<?>) ada.evaluate("return seen")).map(String::valueOf).containsOnly("Bob");
  }

  /** Ten times as impatient; the first answer to a creation comes when it is not waited for. */
  private static final String LOSE_ANSWER =
      """
      const patient = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (milliseconds) => patient(milliseconds / 10);
      const prompt = window.fetch;
      let isFirst = true;
      window.fetch = async (url, options) => {
        if (!url.endsWith('/session')) return prompt(url, options);
        if (!isFirst) {
          const answer = await prompt(url, options);
          window.isRepeated = true;
          return answer;
        }
        isFirst = false;
        const { signal, ...others } = options;
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          prompt(url, others).then((answer) => setTimeout(() => resolve(answer), 4_000));
        });
      };
      """;

  @Test
  void answerIsLost_joiningAgainMakesNoTwin() throws Exception {
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    DemoTab ada = DemoTab.open(browser, page);
    ada.evaluate(LOSE_ANSWER);
    ada.type("Ada");
    ada.press("Join");
    ada.awaitStatus("You are online.");
    bob.awaitOthers("Ada");
    await()
        .atMost(SOON)
        .until(() -> ada.evaluate("return window.isRepeated === true").equals(true));
    assertThat(list().split("\"name\":\"Ada\"", -1)).as("twins: %s", list()).hasSize(2);
  }

  @Test
  void calledSide_isToldOnceAndAtOnce() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    DemoTab kit = DemoTab.open(browser, page).join("Kit", "");
    kit.pick("Bob");
    kit.awaitChatState("Connected, browser to browser");
    bob.awaitIncoming("Kit has called you");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");
    bob.awaitIncoming("Ada and 1 more have called you");
    bob.press("Open the chat");
    bob.awaitNote("You are connected to Ada, browser to browser.");
    assertThat(bob.evaluate("return document.querySelectorAll('#log .note').length")).isEqualTo(1L);
    bob.awaitIncoming("Kit has called you");
    bob.press("Later");
    bob.evaluate("if (!document.getElementById('incoming').hidden) throw new Error('still said')");
    assertThat(bob.chats()).containsExactly("Kit", "Ada");
  }

  /** Lets a test write to the page's streams as a broker would. */
  private static final String OVERHEAR =
      """
      window.streams = 0;
      const genuine = window.fetch;
      window.fetch = async (url, options) => {
        if (!String(url).includes('/channel?')) return genuine(url, options);
        window.streams++;
        const answer = await genuine(url, options);
        if (!answer.ok) return answer;
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        window.tell = (text) => writer.write(new TextEncoder().encode(text));
        answer.body.pipeTo(new WritableStream({ write: (chunk) => writer.write(chunk) })).catch(() => {});
        return new Response(readable, answer);
      };
      """;

  @Test
  @DisplayName("A page whose channel is revoked stays away until its user comes back.")
  void revokedChannel_pageStaysAway() {
    fromTheStart(OVERHEAR);
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    ada.evaluate("tell('event: close\\ndata: {\"reason\":\"revoked\"}\\n\\n')");
    ada.awaitStatus("This site has closed your connection.");
    ada.evaluate("window.dispatchEvent(new Event('online'))");
    String later = "return fetch('/broker/list').then(() => streams)";
    assertThat(ada.evaluate(later)).as("streams").isEqualTo(1L);
    ada.press("Try now");
    ada.awaitStatus("You are online.");
  }

  @Test
  void tabIsClosed_isGoneAtOnce() throws Exception {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab.open(browser, page).join("Bob", "").awaitOthers("Ada");
    ada.close();
    await().atMost(SOON).until(() -> !list().contains("Ada"));
    assertThat(list()).contains("Bob");
  }

  /** Runs a script in each page before the page's own. */
  private void fromTheStart(String script) {
    browser.driver.executeCdpCommand(
        "Page.addScriptToEvaluateOnNewDocument", Map.of("source", script));
  }

  /** Returns the broker's list, read directly. */
  private String list() throws Exception {
    HttpRequest request = HttpRequest.newBuilder(page.resolve("/broker/list")).build();
    return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
  }

  @Test
  void brokerIsSlow_pageWaitsAsLongAsItIsAsked() {
    broker.close();
    broker = BrokerProcess.run("--port", "0", "--message-rate", "1");
    URI slow = broker.awaitListening();
    DemoTab ada = DemoTab.open(browser, slow).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, slow).join("Bob", "");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");
    bob.openChat("Ada");
    bob.awaitChatState("Connected, browser to browser");
  }

  @Test
  void brokerIsFull_isSaidAndPassesByItself() {
    broker.close();
    broker = BrokerProcess.run("--port", "0", "--max-channels", "1");
    URI full = broker.awaitListening();
    DemoTab ada = DemoTab.open(browser, full).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, full);
    bob.type("Bob");
    bob.press("Join");
    bob.awaitStatus("The broker has no room for this page now. Trying again…");
    ada.close();
    bob.awaitStatus("You are online.");
  }

  @Test
  void phone_needsNoSidewaysScrolling() {
    String longName = "Bob with a name as long as anybody could wish";
    DemoTab bob = DemoTab.open(browser, page).join(longName, "");
    try (Browser phone = Browser.startPhone()) {
      DemoTab ada = DemoTab.open(phone, page);
      assertFits(ada);
      ada.join("Ada", "aTagThatIsLongAndHasNoPlaceToBreakItAnywhereAtAllButHasToFit, two");
      assertFits(ada);
      ada.pick(longName);
      ada.awaitChatState("Connected, browser to browser");
      ada.say("x".repeat(300));
      assertFits(ada);
      bob.openChat("Ada");
      bob.awaitHeard("x".repeat(300));
      ada.press("‹ All");
      ada.awaitOthers(longName);
      assertFits(ada);
    }
  }

  @Test
  void phone_backKeyLeadsToTheListAndNotAway() {
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    try (Browser phone = Browser.startPhone()) {
      DemoTab ada = DemoTab.open(phone, page).join("Ada", "");
      Object steps = ada.evaluate("return history.length");
      for (int i = 0; i < 3; i++) {
        ada.pick("Bob");
        ada.awaitChatState("Connected, browser to browser");
        ada.goBack();
        ada.awaitOthers("Bob");
        ada.awaitStatus("You are online.");
      }
      ada.openChat("Bob");
      ada.say("Still here.");
      bob.openChat("Ada");
      bob.awaitHeard("Still here.");
      ada.press("‹ All");
      ada.awaitOthers("Bob");
      assertThat((long) ada.evaluate("return history.length"))
          .as("no step for each chat")
          .isEqualTo((long) steps + 1);
      bob.say("And I.");
      ada.pick("Bob");
      ada.awaitHeard("And I.");
      DemoTab.open(browser, page).join("Kit", "").pick("Ada");
      ada.awaitIncoming("Kit has called you");
      assertFits(ada);
    }
  }

  @Test
  void phone_turnedWithinAChatLeadsBackToTheListToo() {
    DemoTab.open(browser, page).join("Bob", "");
    try (Browser phone = Browser.startPhone()) {
      DemoTab ada = DemoTab.open(phone, page).join("Ada", "");
      turn(phone, 844, 390);
      ada.pick("Bob");
      ada.awaitChatState("Connected, browser to browser");
      turn(phone, 390, 844);
      await().atMost(SOON).until(() -> "room".equals(ada.evaluate("return history.state?.view")));
      ada.goBack();
      ada.awaitOthers("Bob");
      ada.awaitStatus("You are online.");
    }
  }

  private static void turn(Browser phone, int width, int height) {
    phone.driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 2, "mobile", true));
  }

  private static void assertFits(DemoTab tab) {
    assertThat(tab.evaluate("return document.documentElement.scrollWidth"))
        .as("as wide as the screen: what sticks out would make a phone zoom out")
        .isEqualTo(390L);
  }
}
