package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The demo page against a page that was made to harm it: a blank one, run by the test. */
@Execution(ExecutionMode.CONCURRENT)
class HostileDemoIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** A channel, one listed or unlisted session after the other, and messages from them. */
  private static final String EQUIP =
      """
      globalThis.post = async (path, body) => {
        const response = await fetch(base + path, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        });
        if (!response.ok) throw new Error(path + ' ' + response.status + ' ' + await response.text());
        return response.json();
      };
      globalThis.find = async (name) =>
        (await (await fetch(base + '/list')).json()).find(({ session }) => session.metadata?.name === name);
      globalThis.host = async (values = {}) => (await post('/session', { ...me, ...values })).sid;
      globalThis.send = (origin, target, message) => post('/send/' + target, { origin, key: me.key, message });
      globalThis.heard = [];
      globalThis.received = [];
      globalThis.events = new EventSource(base + '/channel');
      events.addEventListener('message', (event) => {
        const told = JSON.parse(event.data);
        received.push(told.message);
        globalThis.onTold?.(told);
      });
      events.addEventListener('channel', (event) => {
        globalThis.me = JSON.parse(event.data);
        done();
      });
      """;

  /** A connection whose description names the copied fingerprint first, and then its own. */
  private static final String DISGUISE =
      """
      globalThis.disguised = (sdp) => sdp.replace('m=', 'a=fingerprint:' + stolen + '\\r\\nm=');
      globalThis.adopt = (channel) => {
        globalThis.data = channel;
        channel.onmessage = ({ data }) => heard.push(data);
      };
      globalThis.onTold = async ({ origin, target, message: { pc: id, description, candidates } }) => {
        if (description?.type === 'offer') {
          globalThis.pc = new RTCPeerConnection();
          equipChannels(id, target, origin);
          await pc.setRemoteDescription(description);
          await pc.setLocalDescription(await pc.createAnswer());
          await send(target, origin, { pc: id, description: { type: 'answer', sdp: disguised(pc.localDescription.sdp) } });
        }
        if (description?.type === 'answer') await pc.setRemoteDescription(description);
        for (const each of candidates ?? []) await pc.addIceCandidate(each).catch(() => {});
      };
      // The client's own channels have fixed ids.
      globalThis.equipChannels = (id, own, other) => {
        pc.createDataChannel('', { negotiated: true, id: 254 });
        adopt(pc.createDataChannel('', { negotiated: true, id: 252 }));
        pc.onicecandidate = ({ candidate }) => candidate && send(own, other, { pc: id, candidates: [candidate] });
      };
      """;

  private static final String CALL_ADA =
      """
      const ada = await find('Ada');
      globalThis.pc = new RTCPeerConnection();
      equipChannels('x', me.sid, ada.sid);
      data.onopen = () => done('open');
      await pc.setLocalDescription(await pc.createOffer());
      await send(me.sid, ada.sid,
        { pc: 'x', call: { name: 'Bob' }, description: { type: 'offer', sdp: disguised(pc.localDescription.sdp) } });
      """;

  /** A valid offer without a peer behind it. */
  private static final String JUNK_OFFER =
      """
      const junk = new RTCPeerConnection();
      junk.createDataChannel('chat');
      const { sdp } = await junk.createOffer();
      const offer = (pc, name) => ({ pc, call: { name }, description: { type: 'offer', sdp } });
      const ada = await find('Ada');
      """;

  private final Browser browser = Browser.start();
  private final Browser hostile = Browser.start();
  private final BrokerProcess broker = BrokerProcess.run("--port", "0");
  private final URI page = broker.awaitListening();

  @AfterEach
  void end() {
    browser.close();
    hostile.close();
    broker.close();
  }

  private Object run(String script) {
    Object result = hostile.run("/broker", script);
    assertThat(String.valueOf(result)).doesNotStartWith("failed");
    return result;
  }

  private void equip() {
    hostile.open(page.resolve("/config.json"));
    run(EQUIP);
  }

  private static List<?> texts(DemoTab tab) {
    return (List<?>)
        tab.evaluate(
            "return Array.from(document.querySelectorAll('#log .text'),"
                + " (each) => each.textContent)");
  }

  /** Ada and Bob have talked, an attacker has copied what Bob published, and Bob has gone. */
  private DemoTab adaWhoKnewBob() {
    equip();
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");
    bob.openChat("Ada");
    bob.say("The secret of Bob.");
    ada.awaitHeard("The secret of Bob.");
    run("globalThis.stolen = (await find('Bob')).session.metadata.fingerprint; done();");
    bob.close();
    ada.awaitNote("Bob has left.");
    ada.awaitOthers();
    run(
        DISGUISE
            + """
            me.sid = await host({ list: true, metadata: { name: 'Bob', fingerprint: stolen } });
            done();
            """);
    ada.awaitOthers("Bob");
    return ada;
  }

  private static void assertTwoBobs(DemoTab ada) {
    assertThat(ada.chats()).containsExactly("Bob", "Bob");
    assertThat(ada.evaluate("return document.querySelector('#chats li').dataset.state"))
        .as("the chat with the Bob whose certificate it was")
        .isEqualTo("over");
    assertThat(texts(ada)).map(String::valueOf).noneMatch(text -> text.contains("secret"));
    assertThat(texts(ada)).last().asString().contains("This is not the Bob of your other chat");
  }

  @Test
  @DisplayName(
      "A called page that copies what Bob has published gets neither Bob's chat nor Bob's past.")
  void impostorIsCalled() {
    DemoTab ada = adaWhoKnewBob();
    assertThat(ada.evaluate("return document.querySelector('#others .what').textContent"))
        .as("nothing says that this is the Bob of a chat")
        .isEqualTo("");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");
    assertTwoBobs(ada);
    ada.say("Who are you?");
    await().atMost(PATIENCE).until(() -> run("done(heard.join())").toString().contains("Who are"));
    assertThat(run("done(heard.join())").toString()).doesNotContain("secret");
  }

  @Test
  @DisplayName(
      "A calling page that copies what Bob has published gets neither Bob's chat nor Bob's past.")
  void impostorCalls() {
    DemoTab ada = adaWhoKnewBob();
    run(CALL_ADA);
    ada.awaitIncoming("Bob has called you");
    assertThat(ada.chats()).containsExactly("Bob", "Bob");
    ada.press("Open the chat");
    assertTwoBobs(ada);
  }

  @Test
  @DisplayName("A repeated call to a known peer does not reach a page that has taken its place.")
  void callAgainIsNotFooled() {
    DemoTab ada = adaWhoKnewBob();
    ada.say("Are you there?");
    ada.awaitNotSent("Bob is gone.");
    ada.pick("Bob");
    ada.awaitChatState("Connected, browser to browser");
    assertTwoBobs(ada);
    assertThat(run("done(heard.join())").toString()).doesNotContain("Are you there?");
  }

  @Test
  @DisplayName(
      "60 junk offers fill nothing; an offer that is pushed out is notified, and a new "
          + "one gets in.")
  void junkOffersGiveWay() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    equip();
    run(
        JUNK_OFFER
            + """
            await send(me.cid, ada.sid, offer('honest-but-slow', 'Kit'));
            for (let i = 0; i < 60; i++) await send(await host(), ada.sid, offer('c' + i, 'Junk'));
            done();
            """);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                run("done(received.some((each) => each.bye && each.pc === 'honest-but-slow'))")
                    .equals(true));
    bob.pick("Ada");
    bob.awaitChatState("Connected, browser to browser");
    ada.awaitIncoming("Bob has called you");
    assertThat(ada.chats()).containsExactly("Bob");
  }

  @Test
  @DisplayName("60 junk messages through the broker keep no caller out.")
  void junkMessagesGiveWay() {
    DemoTab ada = DemoTab.open(browser, page).join("Ada", "");
    DemoTab bob = DemoTab.open(browser, page).join("Bob", "");
    equip();
    run(
        """
        const ada = await find('Ada');
        for (let i = 0; i < 60; i++) await send(await host(), ada.sid, { name: 'Junk', text: 'Buy!' });
        done();
        """);
    await().atMost(PATIENCE).until(() -> ada.chats().size() == 50);
    bob.pick("Ada");
    bob.awaitChatState("Connected, browser to browser");
    await().atMost(PATIENCE).until(() -> ada.chats().contains("Bob"));
    assertThat(ada.chats()).hasSize(50);
  }
}
