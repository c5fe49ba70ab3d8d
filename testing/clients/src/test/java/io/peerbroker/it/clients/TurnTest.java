package io.peerbroker.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ICE servers that the broker gives to clients, with coturn and Chromium. */
final class TurnTest {

  /** Opens a channel, and leaves the servers of its first event in the page. */
  private static final String GET_SERVERS =
      """
      const source = new EventSource(args[0] + '/channel');
      const first = await new Promise((resolve) => source.addEventListener('channel', resolve));
      source.close();
      window.iceServers = JSON.parse(first.data).iceServers;
      return window.iceServers.length;
      """;

  /** Connects the page with itself through the relay alone; returns how the path goes. */
  private static final String CONNECT =
      """
      const relay = { iceServers: window.iceServers, iceTransportPolicy: 'relay' };
      const [caller, callee] = [new RTCPeerConnection(relay), new RTCPeerConnection(relay)];
      caller.onicecandidate = ({ candidate }) => callee.addIceCandidate(candidate);
      callee.onicecandidate = ({ candidate }) => caller.addIceCandidate(candidate);
      const said = new Promise((resolve) => {
        callee.ondatachannel = ({ channel }) => { channel.onmessage = ({ data }) => resolve(data); };
      });
      const channel = caller.createDataChannel('test');
      channel.onopen = () => channel.send('through the relay');
      await caller.setLocalDescription();
      await callee.setRemoteDescription(caller.localDescription);
      await callee.setLocalDescription();
      await caller.setRemoteDescription(callee.localDescription);
      const heard = await said;
      const stats = [...(await caller.getStats()).values()];
      const { selectedCandidatePairId } = stats.find(({ type }) => type === 'transport');
      const pair = stats.find(({ id }) => id === selectedCandidatePairId);
      const { candidateType } = stats.find(({ id }) => id === pair.localCandidateId);
      caller.close();
      callee.close();
      return `${heard}: ${candidateType}`;
      """;

  /** Gathers candidates of the relay alone; returns the types and the errors. */
  private static final String GATHER =
      """
      const relay = { iceServers: window.iceServers, iceTransportPolicy: 'relay' };
      const connection = new RTCPeerConnection(relay);
      const found = [];
      connection.onicecandidateerror = ({ errorCode }) => found.push(errorCode);
      const over = new Promise((resolve) => {
        connection.onicecandidate = ({ candidate }) => {
          if (candidate) found.push(candidate.type); else resolve();
        };
      });
      connection.createDataChannel('test');
      await connection.setLocalDescription();
      await over;
      connection.close();
      return [...new Set(found)].join(' ');
      """;

  /** Replaces the credentials by those of a time, as a secret makes them. */
  private static final String MAKE_CREDENTIALS =
      """
      const [server] = window.iceServers;
      server.username = `${args[0]}:somebody`;
      const encoder = new TextEncoder();
      const key = await crypto.subtle.importKey('raw', encoder.encode(args[1]),
        { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']);
      const made = await crypto.subtle.sign('HMAC', key, encoder.encode(server.username));
      server.credential = btoa(String.fromCharCode(...new Uint8Array(made)));
      """;

  @TempDir private Path directory;

  @Test
  @Tag("I4")
  @DisplayName("Two connections that may only be relayed open with the broker's credentials.")
  void throughTheRelay() throws Exception {
    withServers(
        browser -> {
          assertThat(browser.run(CONNECT)).isEqualTo("through the relay: relay");
          assertThat(browser.run(GATHER)).isEqualTo("relay");
        });
  }

  @Test
  @Tag("I4")
  @DisplayName("A credential that has run out, or is forged, opens nothing.")
  void otherCredentials() throws Exception {
    withServers(
        browser -> {
          long now = System.currentTimeMillis() / 1_000;
          String later = Long.toString(now + 600);
          // Made in the same way as the next one, which is refused for its time alone.
          browser.run(MAKE_CREDENTIALS, later, Coturn.SECRET);
          assertThat(browser.run(GATHER)).isEqualTo("relay");
          browser.run(MAKE_CREDENTIALS, Long.toString(now - 60), Coturn.SECRET);
          assertThat(browser.run(GATHER)).isEqualTo("401");
          browser.run(MAKE_CREDENTIALS, later, "south");
          assertThat(browser.run(GATHER)).isEqualTo("401");
        });
  }

  /** Runs a test in a page that has got the servers of a broker beside coturn. */
  private void withServers(Consumer<BrowserClient> test) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), Coturn.SECRET);
    try (Coturn coturn = Coturn.start(directory);
        ClientServer server =
            ClientServer.start(
                Map.of("iceServers", coturn.url(), "turnSecretFile", secret.toString()));
        BrowserClient browser = BrowserClient.start(server.base())) {
      assertThat(browser.run(GET_SERVERS, server.base().toString())).isEqualTo(1L);
      test.accept(browser);
    }
  }
}
