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
    boolean learn(LoadStream stream, String mount, String response) {
      Matcher event = CHANNEL_EVENT.matcher(response);
      if (!event.find()) {
        return false;
      }
      stream.learn(mount + "/send/" + event.group(1), origin(event.group(1), event.group(2)));
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
    boolean learn(LoadStream stream, String mount, String response) {
      stream.learn(mount + "/" + stream.number(), origin(GUID, KEY));
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
    boolean learn(LoadStream stream, String mount, String response) {
      stream.learn(mount + path(stream.number()), origin(GUID, KEY));
      return true;
    }
  },

  /** What {@link RelayServer#NCHAN} is configured for, with bodies as the broker's. */
  NCHAN {
    @Override
    String path(int number) {
      return "/sub/" + number;
    }

    @Override
    boolean learn(LoadStream stream, String mount, String response) {
      stream.learn(mount + "/pub/" + stream.number(), origin(GUID, KEY));
      return true;
    }
  },

  /** The broker's protocol over WebSockets: a channel for each, and for each sender too. */
  WEBSOCKET {
    @Override
    String path(int number) {
      return "/socket";
    }

    @Override
    boolean learn(LoadStream stream, String mount, String response) {
      Matcher event = CHANNEL_OBJECT.matcher(response);
      if (!event.find()) {
        return false;
      }
      stream.learn(event.group(1), "");
      return true;
    }

    @Override
    byte[] openRequest(int port, String mount, int number) {
      return upgrade(port, mount + path(number), SUB_PROTOCOL);
    }

    @Override
    boolean isHttp() {
      return false;
    }

    @Override
    boolean isAnswered(String text, long number) throws IOException {
      // The frame's two bytes come first: an answer is short.
      String begin = "{\"ref\":" + (number + 1) + ",\"";
      if (text.length() < 2 || text.length() < 2 + text.charAt(1)) {
        return false;
      }
      if (!text.startsWith(begin + "answer", 2)) {
        throw new IOException("Message " + number + " was refused: " + text);
      }
      return true;
    }

    @Override
    void greet(SocketChannel channel, int port, String mount, int number) throws IOException {
      channel.write(ByteBuffer.wrap(openRequest(port, mount, number)));
      read(channel, "\"event\":\"channel\"", "}}");
    }

    @Override
    int compose(
        ByteBuffer to,
        byte[] head,
        LoadMessage message,
        LoadStream origin,
        LoadStream target,
        long number) {
      byte[] ref = Long.toString(number + 1).getBytes(US_ASCII);
      frame(
          to,
          SOCKET_POST.length
              + target.target().length
              + SOCKET_REF.length
              + ref.length
              + SOCKET_MESSAGE.length
              + message.length()
              + 1);
      to.put(SOCKET_POST).put(target.target()).put(SOCKET_REF).put(ref).put(SOCKET_MESSAGE);
      message.put(to, number);
      to.put((byte) '}');
      return to.position();
    }
  },

  /** The protocol of PeerJS: WebSockets, on which no message is answered. */
  PEER {
    @Override
    String path(int number) {
      return peer("s" + number);
    }

    @Override
    boolean learn(LoadStream stream, String mount, String response) {
      stream.learn("s" + stream.number(), "");
      return response.contains(PEER_IS_OPEN);
    }

    @Override
    byte[] openRequest(int port, String mount, int number) {
      return upgrade(port, mount + path(number), "");
    }

    @Override
    boolean isHttp() {
      return false;
    }

    @Override
    boolean answers() {
      return false;
    }

    @Override
    void greet(SocketChannel channel, int port, String mount, int number) throws IOException {
      channel.write(ByteBuffer.wrap(upgrade(port, mount + peer("c" + number), "")));
      read(channel, PEER_IS_OPEN, "");
    }

    @Override
    int compose(
        ByteBuffer to,
        byte[] head,
        LoadMessage message,
        LoadStream origin,
        LoadStream target,
        long number) {
      frame(
          to,
          PEER_OFFER.length + target.target().length + PEER_PAYLOAD.length + message.length() + 1);
      to.put(PEER_OFFER).put(target.target()).put(PEER_PAYLOAD);
      message.put(to, number);
      to.put((byte) '}');
      return to.position();
    }
  };

  private static final Pattern CHANNEL_EVENT =
      Pattern.compile("event: channel\ndata: \\{\"cid\":\"([^\"]+)\",\"key\":\"([^\"]+)\"");

  private static final Pattern CHANNEL_OBJECT =
      Pattern.compile("\"event\":\"channel\".*\"cid\":\"([^\"]+)\".*\\}\\}", Pattern.DOTALL);

  private static final String SUB_PROTOCOL = "Sec-WebSocket-Protocol: peerbroker.v1\r\n";
  private static final byte[] SOCKET_POST = "{\"post\":\"/send/".getBytes(US_ASCII);
  private static final byte[] SOCKET_REF = "\",\"ref\":".getBytes(US_ASCII);
  private static final byte[] SOCKET_MESSAGE = ",\"message\":".getBytes(US_ASCII);

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
  abstract boolean learn(LoadStream stream, String mount, String response);

  /** Returns whether a message is a request with a head and a body. */
  boolean isHttp() {
    return true;
  }

  /** Returns whether a message is answered where it was sent. */
  boolean answers() {
    return true;
  }

  /**
   * Returns whether an answer is complete.
   *
   * @param text what has come since the message was sent
   * @throws IOException if the message was refused
   */
  boolean isAnswered(String text, long number) throws IOException {
    int head = text.indexOf("\r\n\r\n");
    if (head < 0) {
      return false;
    }
    if (!text.startsWith("HTTP/1.1 2")) {
      throw new IOException("Message " + number + " was refused: " + text);
    }
    int body = text.length() - head - 4;
    for (int line = text.indexOf('\n'); line < head; line = text.indexOf('\n', line + 1)) {
      if (text.regionMatches(true, line + 1, "Content-Length: ", 0, 16)) {
        int lineEnd = text.indexOf('\r', line);
        return body == Integer.parseInt(text, line + 17, lineEnd, 10);
      }
      if (text.regionMatches(true, line + 1, "Transfer-Encoding: chunked", 0, 26)) {
        return text.endsWith("0\r\n\r\n");
      }
    }
    return true;
  }

  /** Says what must be said on a connection that sends, before its first message. */
  void greet(SocketChannel channel, int port, String mount, int number) throws IOException {}

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

  private static byte[] upgrade(int port, String path, String header) {
    return ("GET "
            + path
            + " HTTP/1.1\r\n"
            + BROWSER.formatted(port)
            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + header
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        .getBytes(US_ASCII);
  }

  /** Begins a text frame whose length is in 16 bits, with a mask that changes nothing. */
  private static void frame(ByteBuffer to, int length) {
    to.put((byte) 0x81).put((byte) 0xFE).putShort((short) length).putInt(0);
  }

  /** Reads until one text has come and, at the end, another one. */
  private static void read(SocketChannel channel, String wanted, String end) throws IOException {
    ByteBuffer response = ByteBuffer.allocate(4 << 10);
    String text = "";
    while (!text.contains(wanted) || !text.endsWith(end)) {
      if (channel.read(response) <= 0) {
        throw new IOException("A connection that sends was refused: " + text);
      }
      text = new String(response.array(), 0, response.position(), ISO_8859_1);
    }
  }

  private static String origin(String cid, String key) {
    return "{\"origin\":\"%s\",\"key\":\"%s\",\"message\":".formatted(cid, key);
  }
}
