package io.peerbroker.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Two browsers and the protocol's first draft, nothing else: EventSource, fetch and
 * RTCPeerConnection as they are, no key when a session is made, members that the broker doesn't
 * know. What the broker has added since must not be needed.
 */
class TwoBrowsersIT {

  private static final String POST =
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
      globalThis.gathered = (pc) => new Promise((resolve) => {
        const check = () => pc.iceGatheringState === 'complete' && resolve(pc.localDescription.sdp);
        pc.addEventListener('icegatheringstatechange', check);
        check();
      });
      globalThis.heard = [];
      globalThis.waiting = [];
      globalThis.hear = (data) => {
        data.onmessage = (event) => {
          heard.push(event.data);
          waiting.splice(0).forEach((resolve) => resolve());
        };
      };
      """;

  /** Step 1: the responder creates channel A and a session. Steps 4 and 5 follow by themselves. */
  private static final String RESPOND =
      """
      const events = new EventSource(base + '/channel');
      events.addEventListener('message', async (event) => {
        const { origin, target, message } = JSON.parse(event.data);
        const pc = new RTCPeerConnection();
        pc.ondatachannel = ({ channel }) => { globalThis.data = channel; hear(channel); };
        await pc.setRemoteDescription({ type: 'offer', sdp: message.offer });
        await pc.setLocalDescription(await pc.createAnswer());
        const answer = await gathered(pc);
        await post('/send/' + origin, { origin: target, key: me.key, message: { answer } });
        await post('/session/' + target + '/update',
          { cid: me.cid, key: me.key, values: { tags: ['seed', 'busy'], metadata: { opponent: true } } });
      });
      events.addEventListener('channel', async (event) => {
        globalThis.me = JSON.parse(event.data);
        const { sid } = await post('/session', {
          cid: me.cid, tags: ['seed'], list: true, metadata: { game: 'chess' },
          url: 'https://example.org/play', application: { name: 'first draft' },
        });
        done(sid);
      });
      """;

  /** Steps 2, 3 and 6: the initiator creates channel B, sends its offer, and closes channel B. */
  private static final String INITIATE =
      """
      const list = await (await fetch(base + '/list?filter=seed,!busy')).json();
      const events = new EventSource(base + '/channel');
      const pc = new RTCPeerConnection();
      const data = globalThis.data = pc.createDataChannel('game');
      hear(data);
      data.onopen = () => {
        events.close();
        done([list.map(({ sid }) => sid), globalThis.replied]);
      };
      events.addEventListener('message', async (event) => {
        const { origin, target, message } = JSON.parse(event.data);
        globalThis.replied = [origin, target === me.cid];
        await pc.setRemoteDescription({ type: 'answer', sdp: message.answer });
      });
      events.addEventListener('channel', async (event) => {
        globalThis.me = JSON.parse(event.data);
        await pc.setLocalDescription(await pc.createOffer());
        const offer = await gathered(pc);
        await post('/send/' + a[0], { origin: me.cid, key: me.key, message: { offer } });
      });
      """;

  private static final String SAY = "data.send(a[0]); done('said');";

  private static final String HEAR =
      """
      while (heard.length < a[0]) await new Promise((resolve) => waiting.push(resolve));
      done(heard);
      """;

  private static final String COUNT_FREE =
      "done((await (await fetch(base + '/list?filter=seed,!busy')).json()).length);";

  private final BrokerProcess broker = BrokerProcess.run("--port", "0");

  @BeforeEach
  void listen() {
    broker.awaitListening();
  }

  @AfterEach
  void end() {
    broker.close();
  }

  @Test
  void seedHandshake_opensADataChannelBothWays() {
    String base = "/broker";
    try (Browser responder = Browser.start();
        Browser initiator = Browser.start()) {
      for (Browser each : List.of(responder, initiator)) {
        each.open(broker.awaitListening().resolve("/config.json"));
        each.run(base, POST + "done();");
      }

      Object sid = responder.run(base, RESPOND);
      assertThat(sid).asString().hasSize(36);

      Object result = initiator.run(base, INITIATE, sid);
      assertThat(result)
          .as("found by its tag; the answer comes from the session to channel B")
          .isEqualTo(List.of(List.of(sid), List.of(sid, true)));

      initiator.run(base, SAY, "e2e4");
      assertThat(responder.run(base, HEAR, 1)).isEqualTo(List.of("e2e4"));
      responder.run(base, SAY, "e7e5");
      responder.run(base, SAY, "your move");
      assertThat(initiator.run(base, HEAR, 2)).isEqualTo(List.of("e7e5", "your move"));

      await("after the update nobody free is listed")
          .until(() -> initiator.run(base, COUNT_FREE), count -> count.equals(0L));
    }
  }
}
