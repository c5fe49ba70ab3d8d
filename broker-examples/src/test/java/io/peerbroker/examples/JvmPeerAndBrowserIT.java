package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A party in the JVM and browser pages on one broker. */
class JvmPeerAndBrowserIT {

  private static final String ASK =
      """
      const json = { 'Content-Type': 'application/json' };
      const [clock] = await (await fetch(base + '/list?filter=service')).json();
      const events = new EventSource(base + '/channel');
      let me;
      events.addEventListener('message', (event) => {
        const { origin, target, message } = JSON.parse(event.data);
        events.close();
        done([clock.session.metadata.name, origin === clock.sid, target === me.cid, message.text]);
      });
      events.addEventListener('channel', async (event) => {
        me = JSON.parse(event.data);
        await fetch(base + '/send/' + clock.sid, {
          method: 'POST', headers: json,
          body: JSON.stringify({ origin: me.cid, key: me.key, message: { text: a[0] } }),
        });
      });
      """;

  private final Browser browser = Browser.start();
  private final BrokerProcess broker = BrokerProcess.run(JvmPeerAndBrowser.class, "0");

  @AfterEach
  void end() {
    browser.close();
    broker.close();
  }

  @Test
  void plainPage_getsAnAnswerFromTheJvm() {
    browser.open(broker.awaitListening().resolve("/config.json"));
    Object answer = browser.run("/broker", ASK, "Wie spät ist es? 🕰");
    assertThat(answer)
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
        .startsWith("Speaking clock", true, true)
        .last()
        .asString()
        .endsWith("You said: Wie spät ist es? 🕰");
  }

  @Test
  void demoPage_listsTheServiceAndTalksToIt() {
    DemoTab ada = DemoTab.open(browser, broker.awaitListening()).join("Ada", "");
    ada.filter("service");
    ada.awaitOthers("Speaking clock");
    ada.pick("Speaking clock");
    ada.awaitChatState("Through the broker");
    ada.say("Hello, clock.");
    ada.awaitHeard("You said: Hello, clock.");
    assertThat(ada.chats()).isEqualTo(List.of("Speaking clock"));

    broker.close();
    ada.awaitStatus("The broker is away.");
    ada.say("Gone?");
    ada.awaitNotSent("Not sent. The broker is away.");
  }
}
