package io.peerbroker.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the clients of a relay say to it. */
enum Wire {
  /** The broker's protocol: a channel for each stream, messages from channel to channel. */
  BROKER {
    @Override
    String path(int number) {
      return "/channel";
    }

    @Override
    boolean learn(LoadStream stream, String response) {
      Matcher event = CHANNEL_EVENT.matcher(response);
      if (!event.find()) {
        return false;
      }
      stream.learn("/send/" + event.group(1), origin(event.group(1), event.group(2)));
      return true;
    }
  },

  /** {@link BareRelayServlet}, with bodies as the broker's. */
  BARE {
    @Override
    String path(int number) {
      return "/" + number;
    }

    @Override
    boolean learn(LoadStream stream, String response) {
      stream.learn("/" + stream.number(), origin(GUID, KEY));
      return response.contains(": open\n\n");
    }
  },

  /** The protocol of signalhub: a channel for each stream, bodies as the broker's. */
  SIGNALHUB {
    @Override
    String path(int number) {
      return "/v1/relay/" + number;
    }

    @Override
    boolean learn(LoadStream stream, String response) {
      stream.learn(path(stream.number()), origin(GUID, KEY));
      return true;
    }
  },

  /** The protocol of PeerJS: WebSockets, on which no message is answered. */
  PEER {
    @Override
    String path(int number) {
      return peer("s" + number);
    }

    @Override
    boolean learn(LoadStream stream, String response) {
      stream.learn("s" + stream.number(), "");
      return response.contains(PEER_IS_OPEN);
    }

    @Override
    byte[] openRequest(int port, String mount, int number) {
      return upgrade(port, path(number));
    }

    @Override
    boolean answers() {
      return false;
    }

    @Override
    void greet(SocketChannel channel, int port, int number) throws IOException {
      channel.write(ByteBuffer.wrap(upgrade(port, peer("c" + number))));
      ByteBuffer response = ByteBuffer.allocate(4 << 10);
      do {
        if (channel.read(response) < 0) {
          throw new IOException("The server has ended a connection that sends");
        }
      } while (!new String(response.array(), 0, response.position(), ISO_8859_1)
          .contains(PEER_IS_OPEN));
    }

    @Override
    int compose(
        ByteBuffer to,
        byte[] head,
        LoadMessage message,
        LoadStream origin,
        LoadStream target,
        long number) {
      int length = PEER_OFFER.length + target.target().length + PEER_PAYLOAD.length;
      // A text frame whose length is in 16 bits, and a mask that changes nothing.
      to.put((byte) 0x81).put((byte) 0xFE);
      to.putShort((short) (length + message.length() + 1)).putInt(0);
      to.put(PEER_OFFER).put(target.target()).put(PEER_PAYLOAD);
      message.put(to, number);
      to.put((byte) '}');
      return to.position();
    }
  };

  private static final Pattern CHANNEL_EVENT =
      Pattern.compile("event: channel\ndata: \\{\"cid\":\"([^\"]+)\",\"key\":\"([^\"]+)\"");

  private static final String PEER_IS_OPEN = "{\"type\":\"OPEN\"}";
  private static final byte[] PEER_OFFER = "{\"type\":\"OFFER\",\"dst\":\"".getBytes(US_ASCII);
  private static final byte[] PEER_PAYLOAD = "\",\"payload\":".getBytes(US_ASCII);

  /** As long as the broker's. */
  private static final String GUID = "0198c7d2-51c3-7a40-9d27-6f2f30a1c0de";

  private static final String KEY = "mN3v0xq1mN3v0xq1mN3v0x";

  /** What a browser's request has beside what it needs. */
  private static final String BROWSER =
      """
      Host: 127.0.0.1:%d\r
      User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36\r
      Accept-Language: en-GB,en;q=0.9\r
      Accept-Encoding: gzip, deflate, br, zstd\r
      Sec-Fetch-Site: same-origin\r
      Sec-Fetch-Mode: cors\r
      """;

  private static final byte[] POST = "POST ".getBytes(US_ASCII);
  private static final byte[] HEAD_END = "\r\n\r\n".getBytes(US_ASCII);

  /** Returns where a stream is opened. */
  abstract String path(int number);

  /**
   * Returns whether a stream is open, and stores what is needed to send to it and from it.
   *
   * @param response what the server has sent so far
   */
  abstract boolean learn(LoadStream stream, String response);

  /** Returns whether a message is answered where it was sent. */
  boolean answers() {
    return true;
  }

  /** Says what must be said on a connection that sends, before its first message. */
  void greet(SocketChannel channel, int port, int number) throws IOException {}

  /** Returns the request that opens a stream. */
  byte[] openRequest(int port, String mount, int number) {
    return ("GET "
            + mount
            + path(number)
            + " HTTP/1.1\r\n"
            + BROWSER.formatted(port)
            + "Accept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n")
        .getBytes(US_ASCII);
  }

  /** Returns what stands between the target and the length of the body in a request. */
  byte[] sendHead(int port) {
    return (" HTTP/1.1\r\n"
            + BROWSER.formatted(port)
            + "Accept: */*\r\nOrigin: http://127.0.0.1:"
            + port
            + "\r\nContent-Type: application/json\r\nContent-Length: ")
        .getBytes(US_ASCII);
  }

  /**
   * Writes a request that sends a message.
   *
   * @param head the one of {@link #sendHead}
   * @return where its body begins
   */
  int compose(
      ByteBuffer to,
      byte[] head,
      LoadMessage message,
      LoadStream origin,
      LoadStream target,
      long number) {
    byte[] prefix = origin.prefix();
    to.put(POST).put(target.target()).put(head);
    to.put(Integer.toString(prefix.length + message.length() + 1).getBytes(US_ASCII));
    to.put(HEAD_END);
    int body = to.position();
    to.put(prefix);
    message.put(to, number);
    to.put((byte) '}');
    return body;
  }

  private static String peer(String id) {
    return "/peerjs?key=peerjs&id=" + id + "&token=relay&version=1.5.4";
  }

  private static byte[] upgrade(int port, String path) {
    return ("GET "
            + path
            + " HTTP/1.1\r\n"
            + BROWSER.formatted(port)
            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        .getBytes(US_ASCII);
  }

  private static String origin(String cid, String key) {
    return "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":".formatted(cid, key);
  }
}
