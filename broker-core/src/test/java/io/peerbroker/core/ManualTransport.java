package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A stream whose far end the test holds: it decides what is read there, and when it breaks. */
class ManualTransport implements Transport {

  private static final Function<Envelope, byte[]> ENCODER = ManualTransport::encoded;

  final List<String> told = new CopyOnWriteArrayList<>();

  /** The events that were read, as short texts. */
  final List<String> read = new ArrayList<>();

  /** The ids of the events that were read, if they have any. */
  final List<String> ids = new ArrayList<>();

  private Attachment attachment;
  private boolean cut;
  Channel channel;

  static ManualTransport open(Broker broker, ChannelOptions options) {
    ManualTransport line = new ManualTransport();
    line.channel = Wired.openChannel(broker, options, line::attach);
    return line;
  }

  Transport attach(Attachment given) {
    attachment = given;
    return this;
  }

  @Override
  public void ready() {}

  @Override
  public void end(CloseReason reason) {
    told.add(reason.code());
  }

  /** Reads one event, or returns null; the network has yet to take it. */
  String poll() {
    Envelope envelope = attachment.poll();
    if (envelope == null) {
      return null;
    }
    if (envelope.id() != null) {
      ids.add(envelope.id());
    }
    String text = text(envelope.event());
    read.add(text);
    return text;
  }

  private static String text(Event event) {
    if (event instanceof Event.Received received) {
      return received.message().json().toString();
    }
    if (event instanceof Event.Undelivered undelivered) {
      return "undelivered " + undelivered.id() + " " + undelivered.reason().code();
    }
    if (event instanceof Event.Watched watched) {
      return watched.watch() + ": " + text(watched.shared().event());
    }
    if (event instanceof Event.Unwatched unwatched) {
      return unwatched.watch() + ": " + unwatched.reason().code();
    }
    if (event instanceof Event.Added added) {
      return "add " + added.session().tags();
    }
    if (event instanceof Event.Ready ready) {
      return "ready " + ready.count();
    }
    if (event instanceof Event.Removed) {
      return "remove";
    }
    assertThat(event).isInstanceOf(Event.Opened.class);
    return "channel";
  }

  void consumed(int events) {
    attachment.consumed(events);
  }

  private static byte[] encoded(Envelope envelope) {
    return new byte[envelope.size()];
  }

  /** Acts as a transport without memory: encodes all events, and the network takes them. */
  void forward() {
    for (Envelope envelope = attachment.poll(); envelope != null; envelope = attachment.poll()) {
      envelope.encoded(ENCODER);
      attachment.consumed(1);
    }
  }

  /** Reads all there is, and the network takes it. */
  List<String> readAll() {
    int from = read.size();
    while (poll() != null) {
      consumed(1);
    }
    return List.copyOf(read.subList(from, read.size()));
  }

  String lastId() {
    return ids.get(ids.size() - 1);
  }

  /** Returns the id of the channel's own first event. */
  String firstId() {
    return ids.get(0);
  }

  void cut() {
    cut = true;
    attachment.detach(CloseReason.GONE);
  }

  /**
   * Whether it has broken, at this end or at the broker's: reports about taken bytes are then
   * ignored.
   */
  boolean isGone() {
    return cut || told.contains(CloseReason.GONE.code());
  }
}
