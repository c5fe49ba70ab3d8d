package io.peerbroker.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Broker;
import io.peerbroker.peerjs.PeerJsServlet;
import io.peerbroker.peerjs.PeerJsSettings;
import io.peerbroker.servlet.BrokerServlet;
import java.net.URI;
import java.nio.file.Path;
import org.eclipse.jetty.ee10.servlet.ResourceServlet;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.ee10.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The npm package peerjs as it is, in Chromium, with the broker as its server. */
final class PeerJsTest {

  private static final Broker BROKER = Broker.create();
  private static final Server SERVER = new Server();

  private static BrowserClient browser;

  @BeforeAll
  static void start() throws Exception {
    Path packages = NodeFolder.install("peerjs").resolve("node_modules");
    ServletContextHandler context = new ServletContextHandler();
    context.setAttribute(BrokerServlet.BROKER_ATTRIBUTE, BROKER);
    ServletHolder broker = new ServletHolder(new BrokerServlet());
    broker.setAsyncSupported(true);
    context.addServlet(broker, "/broker/*");
    PeerJsSettings settings = PeerJsSettings.defaults().withTag("peerjs").withDiscovery(true);
    context.addServlet(new ServletHolder(new PeerJsServlet(settings)), "/peerjs/*");
    ServletHolder files = new ServletHolder(new ResourceServlet());
    files.setInitParameter("baseResource", packages.toString());
    files.setInitParameter("pathInfoOnly", "true");
    context.addServlet(files, "/packages/*");
    JakartaWebSocketServletContainerInitializer.configure(context, null);
    ServerConnector connector = new ServerConnector(SERVER);
    connector.setHost("127.0.0.1");
    SERVER.addConnector(connector);
    SERVER.setHandler(context);
    SERVER.start();
    browser =
        BrowserClient.start(URI.create("http://127.0.0.1:" + connector.getLocalPort() + "/broker"));
  }

  @AfterAll
  static void stop() throws Exception {
    if (browser != null) {
      browser.close();
    }
    BROKER.close();
    SERVER.stop();
  }

  /** Loads the package, and what the scripts below share. */
  @BeforeEach
  void load() {
    Object loaded =
        browser.run(
            """
            if (!window.Peer) {
              await import('/packages/peerjs/dist/peerjs.min.js');
              const { MsgPack } =
                await import('/packages/peerjs/dist/serializer.msgpack.mjs');
              window.once = (target, name) => new Promise((resolve, reject) => {
                target.on(name, resolve);
                if (name !== 'error') target.on('error', reject);
              });
              window.peers = [];
              window.enter = async (id, more) => {
                const peer = new Peer(id, {
                  host: location.hostname,
                  port: location.port,
                  path: '/peerjs',
                  config: { iceServers: [] },
                  serializers: { MsgPack },
                  ...more,
                });
                peers.push(peer);
                await once(peer, 'open');
                return peer;
              };
            }
            return typeof Peer;
            """);
    assertThat(loaded).isEqualTo("function");
  }

  /** Destroys the peers that the scripts have entered: their ids are free for the next test. */
  @AfterEach
  void leave() {
    Object left = browser.run("for (const peer of peers.splice(0)) peer.destroy();");
    assertThat(left).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary", "binary-utf8", "json", "raw", "MsgPack"})
  @DisplayName("Data goes both ways in each serialization.")
  void data(String serialization) {
    Object echoed =
        browser.run(
            """
            const [serialization] = args;
            const [ada, bob] = await Promise.all([enter(), enter()]);
            bob.on('connection', (connection) => {
              connection.on('data', (data) => connection.send(data));
            });
            const connection = ada.connect(bob.id, { serialization, reliable: true });
            await once(connection, 'open');
            const value = serialization === 'raw' ? 'text' : { list: [1, 'two', null], ok: true };
            connection.send(value);
            const echoed = await once(connection, 'data');
            return JSON.stringify(echoed);
            """,
            serialization);
    String object = "{\"list\":[1,\"two\",null],\"ok\":true}";
    assertThat(echoed).isEqualTo(serialization.equals("raw") ? "\"text\"" : object);
  }

  @Test
  @DisplayName("A call carries video, and its metadata; the end of one side ends the other.")
  void media() {
    Object seen =
        browser.run(
            """
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 64;
            const pen = canvas.getContext('2d');
            const drawing = setInterval(() => {
              pen.fillStyle = pen.fillStyle === '#ff0000' ? '#00ff00' : '#ff0000';
              pen.fillRect(0, 0, 64, 64);
            }, 50);
            const stream = canvas.captureStream(20);
            const [ada, bob] = await Promise.all([enter(), enter()]);
            const metadata = new Promise((resolve) => bob.on('call', (call) => {
              call.answer(stream);
              resolve(call.metadata);
            }));
            const call = ada.call(bob.id, stream, { metadata: { topic: 'tea' } });
            const remote = await once(call, 'stream');
            const video = document.createElement('video');
            video.muted = true;
            video.srcObject = remote;
            await video.play();
            const width = video.videoWidth;
            const over = once(call, 'close');
            bob.destroy();
            await over;
            clearInterval(drawing);
            return JSON.stringify([await metadata, width]);
            """);
    assertThat(seen).isEqualTo("[{\"topic\":\"tea\"},64]");
  }

  @Test
  @DisplayName("A peer that disconnects keeps its calls, reconnects, and can be called again.")
  void reconnect() {
    Object seen =
        browser.run(
            """
            const [ada, bob] = await Promise.all([enter('ada'), enter('bob')]);
            const came = [];
            bob.on('connection', (connection) => connection.on('data', (data) => came.push(data)));
            const first = ada.connect('bob');
            await once(first, 'open');
            const [lost, open] = [once(bob, 'disconnected'), once(bob, 'open')];
            bob.disconnect();
            await lost;
            first.send('still here');
            bob.reconnect();
            const id = await open;
            const second = ada.connect('bob');
            await once(second, 'open');
            second.send('again');
            while (came.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
            return JSON.stringify([id, came.sort()]);
            """);
    assertThat(seen).isEqualTo("[\"bob\",[\"again\",\"still here\"]]");
  }

  @Test
  @DisplayName("Calling nobody is an error that leaves the peer as it is.")
  void unavailable() {
    Object error =
        browser.run(
            """
            const ada = await enter();
            const failed = once(ada, 'error');
            ada.connect('nobody');
            const { type, message } = await failed;
            return [type, message, ada.open && !ada.destroyed].join();
            """);
    assertThat(error).isEqualTo("peer-unavailable,Could not connect to peer nobody,true");
  }

  @Test
  @DisplayName("An id that is taken is an error, and the one that has it keeps it.")
  void idTaken() {
    Object error =
        browser.run(
            """
            const ada = await enter('ada');
            const other = await enter('ada').catch(({ type, message }) => `${type}: ${message}`);
            return [other, ada.open].join();
            """);
    assertThat(error).isEqualTo("unavailable-id: ID \"ada\" is taken,true");
  }

  @Test
  @DisplayName("A connection waits for a peer that opens a little later.")
  void early() {
    Object said =
        browser.run(
            """
            const ada = await enter();
            const connection = ada.connect('late');
            const bob = await enter('late');
            const heard = once(bob, 'connection').then((from) => once(from, 'data'));
            await once(connection, 'open');
            connection.send('hello');
            return heard;
            """);
    assertThat(said).isEqualTo("hello");
  }

  @Test
  @DisplayName("All peers are listed, if the application says so.")
  void listed() {
    Object all =
        browser.run(
            """
            const [ada, bob] = await Promise.all([enter('ada'), enter('bob')]);
            const all = await new Promise((resolve) => ada.listAllPeers(resolve));
            return all.sort().join();
            """);
    assertThat(all).isEqualTo("ada,bob");
  }
}
