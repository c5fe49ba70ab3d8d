package io.peerbroker.websocket;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Answer;
import io.peerbroker.core.Attachment;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Envelope;
import io.peerbroker.core.Event;
import io.peerbroker.core.Gateway;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Request;
import io.peerbroker.core.Timer;
import io.peerbroker.core.Transport;
import io.peerbroker.json.JsonAnswers;
import io.peerbroker.json.JsonMembers;
import io.peerbroker.json.JsonRequests;
import io.peerbroker.json.RequestPath;
import io.peerbroker.servlet.HttpSettings;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendResult;
import jakarta.websocket.Session;
import java.time.Duration;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket: it carries a channel's events to the client, the client's requests to the broker,
 * and the answers back.
 *
 * <p>One frame at a time is on its way to the network: Tomcat accepts no second one, and others
 * would keep it without a bound. What follows stays where it is until that frame has been taken:
 * events in the channel's queue, answers here. Of all threads that call {@link #drain} one becomes
 * the owner, polls and sends, and goes on until nothing is left or a frame is on its way; the
 * callback that follows the frame, which may come inside the call that sends it, goes on then.
 *
 * <p>Safe for use by many threads; no method waits for the client.
 */
final class WebSocketTransport implements Transport {

  /**
   * How many requests may be under way or have answers that the client has not taken: reading
   * cannot be paused, so a client that sends on without reading is cut off.
   */
  static final int MAX_UNANSWERED = 256;

  /** A client that does not close its side within this time is cut off. */
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

  /** For so long Tomcat waits in a close until a client that reads nothing has taken it. */
  private static final long CLOSE_MILLIS = 100;

  private static final String TOMCAT = "org.apache.tomcat.websocket.";

  /** One instance, since an envelope remembers bytes by their encoder. */
  private static final Function<Envelope, byte[]> ENCODER = Frames::event;

  private final Gateway gateway;
  private final HttpSettings settings;
  private final JsonRequests requests;
  private final Set<WebSocketTransport> open;
  private final Timer timer;

  private final AtomicInteger wakeups = new AtomicInteger();
  private final AtomicInteger unanswered = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();
  private final Queue<byte[]> answers = new ConcurrentLinkedQueue<>();

  private volatile @Nullable Attachment attachment;

  /** The channel, once it is open. */
  private volatile @Nullable Channel channel;

  /** Why there will be no channel. */
  private volatile @Nullable Refusal refused;

  private volatile @Nullable CloseReason ending;

  private volatile @Nullable Session session;
  private volatile RemoteEndpoint.@Nullable Async remote;

  /** Whether a frame is on its way to the network. Set by the owner, cleared by the callback. */
  private volatile boolean inFlight;

  /** Since when that is, or the connection is waited for. */
  private volatile long waitingSince;

  private volatile long lastGiven;
  private volatile boolean heartbeatDue;
  private volatile Timer.@Nullable Scheduled scheduled;

  // Used by the owner only.
  private boolean eventGiven;
  private boolean farewellGiven;

  // Used by the task only.
  private long stuckSince;

  /**
   * @param gateway that of the caller of the requests
   * @param open the set that holds this while it is open
   */
  WebSocketTransport(
      Gateway gateway, HttpSettings settings, JsonRequests requests, Set<WebSocketTransport> open) {
    this.gateway = gateway;
    this.settings = settings;
    this.requests = requests;
    this.open = open;
    timer = gateway.timer();
    lastGiven = timer.nanoTime();
    waitingSince = lastGiven;
    stuckSince = lastGiven - 1;
    open.add(this);
    tick();
  }

  /** Takes the broker's end of the channel's stream. */
  Transport attach(Attachment given) {
    attachment = given;
    if (over.get()) {
      given.detach(CloseReason.GONE);
    }
    return this;
  }

  /** Notes that the channel is open, or why it is not. */
  void opened(@Nullable Channel given, @Nullable Throwable failure) {
    if (failure == null) {
      channel = given;
    } else {
      refused = refusal(failure);
    }
    drain();
  }

  /** The container has made the connection. */
  void connected(Session given) {
    given.setMaxIdleTimeout(0);
    given.setMaxTextMessageBufferSize(settings.maxBodyBytes());
    given.getUserProperties().put(TOMCAT + "BLOCKING_SEND_TIMEOUT", CLOSE_MILLIS);
    given.getUserProperties().put(TOMCAT + "SESSION_CLOSE_TIMEOUT", CLOSE_WITHIN.toMillis());
    RemoteEndpoint.Async async = given.getAsyncRemote();
    async.setSendTimeout(settings.writeTimeout().toMillis());
    remote = async;
    session = given;
    if (over.get()) {
      close(given, Frames.cut());
    }
    drain();
  }

  /** The connection is gone. */
  void disconnected() {
    finish(CloseReason.GONE);
  }

  /** The container reports a failure: it closes the connection, or has. */
  void failed(Throwable failure) {
    Log.LOG.log(System.Logger.Level.DEBUG, "A WebSocket failed", failure);
    finish(CloseReason.GONE);
  }

  /** Ends the connection in any state. */
  void abort() {
    cutOff(CloseReason.GONE, Frames.cut());
  }

  @Override
  public void ready() {
    drain();
  }

  @Override
  public void end(CloseReason reason) {
    ending = reason;
    var unused = timer.schedule(gateway.limits().drainTimeout(), this::abort);
    drain();
  }

  /** Takes a text message of the client. Called by one thread at a time. */
  void received(String text) {
    if (over.get()) {
      return;
    }
    if (unanswered.incrementAndGet() > MAX_UNANSWERED) {
      cutOff(CloseReason.GONE, Frames.tooManyUnanswered());
      return;
    }
    RefusedException.untraced(() -> perform(text.getBytes(UTF_8)));
  }

  /** Takes a message that is no text. */
  void receivedBinary() {
    cutOff(CloseReason.GONE, Frames.binary());
  }

  private void perform(byte[] text) {
    Long ref = null;
    try {
      if (text.length > settings.maxBodyBytes()) {
        throw RefusedException.of(
            Refusal.Code.TOO_LARGE,
            "A request may have at most " + settings.maxBodyBytes() + " bytes.");
      }
      JsonMembers members = JsonMembers.of(text, gateway.limits().maxJsonDepth());
      ref = members.optionalNatural("ref");
      Long asked = ref;
      Request request = requests.read(path(members), members, channel());
      boolean several = JsonAnswers.isForSeveral(request, members);
      var unused =
          gateway
              .perform(request)
              .whenComplete(
                  (answer, failure) -> {
                    if (failure != null) {
                      refuse(asked, refusal(failure));
                    } else {
                      answer(asked, answer, several);
                    }
                  });
    } catch (RuntimeException failure) {
      refuse(ref, refusal(failure));
    }
  }

  private static RequestPath path(JsonMembers members) {
    RequestPath path = RequestPath.of(members.string("post"));
    if (path == null) {
      throw RefusedException.of(
          Refusal.Code.INVALID_REQUEST,
          "The member 'post' must be the path of a POST, such as /session or /send/<target>.");
    }
    return path;
  }

  private Channel channel() {
    Channel own = channel;
    if (own == null) {
      throw RefusedException.of(
          Refusal.Code.UNKNOWN_CHANNEL, "The channel is not open yet: wait for its first event.");
    }
    return own;
  }

  private static Refusal refusal(Throwable failure) {
    Throwable thrown =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (thrown instanceof RefusedException refused) {
      return refused.refusal();
    }
    Log.LOG.log(System.Logger.Level.ERROR, "A request failed", thrown);
    return Refusal.of(Refusal.Code.INTERNAL, "The broker failed; its log says more.");
  }

  private void answer(@Nullable Long ref, Answer answer, boolean several) {
    if (answer instanceof Answer.Refused given) {
      refuse(ref, given.refusal());
    } else if (ref == null) {
      unanswered.decrementAndGet();
    } else {
      give(Frames.answer(ref, answer, several));
    }
  }

  private void refuse(@Nullable Long ref, Refusal refusal) {
    give(Frames.refusal(ref, refusal));
  }

  private void give(byte[] answer) {
    answers.add(answer);
    drain();
  }

  /** Sends what there is to send, unless a frame is on its way. */
  private void drain() {
    if (wakeups.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    do {
      try {
        send();
      } catch (Throwable failure) {
        // Errors too: the channel would keep its place for ever.
        Log.LOG.log(System.Logger.Level.ERROR, "A WebSocket failed; it ends", failure);
        abort();
      }
      seen = wakeups.addAndGet(-seen);
    } while (seen != 0);
  }

  private void send() {
    RemoteEndpoint.Async connection = remote;
    while (connection != null && !inFlight && !over.get()) {
      if (eventGiven) {
        eventGiven = false;
        Objects.requireNonNull(attachment).consumed(1);
      }
      byte[] frame = next();
      if (frame == null) {
        if (farewellGiven) {
          leave();
        }
        return;
      }
      heartbeatDue = false;
      lastGiven = timer.nanoTime();
      waitingSince = lastGiven;
      inFlight = true;
      try {
        connection.sendText(new String(frame, UTF_8), this::sent);
      } catch (RuntimeException closed) {
        // Its end is reported, too.
        finish(CloseReason.GONE);
      }
    }
  }

  private byte @Nullable [] next() {
    byte[] answer = answers.poll();
    if (answer != null) {
      unanswered.decrementAndGet();
      return answer;
    }
    Refusal none = refused;
    if (none != null) {
      return farewell(Frames.refusal(null, none));
    }
    Attachment from = attachment;
    if (from == null) {
      return null;
    }
    // Read before the queue: once the broker has ended the stream, it queues nothing more.
    CloseReason reason = ending;
    Envelope envelope = from.poll();
    if (envelope != null) {
      eventGiven = true;
      return encoded(envelope);
    }
    if (reason != null) {
      return farewell(reason.isTold() ? Frames.farewell(reason) : null);
    }
    return heartbeatDue ? Frames.HEARTBEAT : null;
  }

  private byte @Nullable [] farewell(byte @Nullable [] last) {
    boolean given = farewellGiven;
    farewellGiven = true;
    return given ? null : last;
  }

  private byte[] encoded(Envelope envelope) {
    Event event = envelope.event();
    if (event instanceof Event.Watched watched) {
      return Frames.ofWatch(watched.watch(), watched.shared().encoded(ENCODER));
    }
    // No other stream gets this one, and it has the heartbeat of these settings.
    return event instanceof Event.Opened
        ? Frames.event(event, envelope.id(), settings.heartbeat())
        : envelope.encoded(ENCODER);
  }

  /**
   * A frame has been taken, or lost. Called by the container, perhaps inside the call that sends.
   */
  private void sent(SendResult result) {
    if (!result.isOK()) {
      boolean stalled = timer.nanoTime() - waitingSince >= settings.writeTimeout().toNanos();
      finish(stalled ? CloseReason.STALLED : CloseReason.GONE);
      return;
    }
    inFlight = false;
    drain();
  }

  /** Closes the connection after the last frame. */
  private void leave() {
    Refusal none = refused;
    cutOff(
        CloseReason.GONE,
        none == null ? Frames.closing(Objects.requireNonNull(ending)) : Frames.closing(none));
  }

  /** Closes the connection, and detaches when that is done. */
  private void cutOff(CloseReason reason, jakarta.websocket.CloseReason closing) {
    Session connected = session;
    if (!isLast()) {
      return;
    }
    if (connected == null) {
      detach(reason);
      return;
    }
    AtomicBoolean begun = new AtomicBoolean();
    Runnable close =
        () -> {
          if (!begun.getAndSet(true)) {
            close(connected, closing);
            detach(reason);
          }
        };
    // On another thread than the one that sends for others: Tomcat may wait for the client.
    var unused = timer.schedule(Duration.ZERO, close);
    if (timer.isClosed()) {
      close.run();
    }
  }

  private static void close(Session connected, jakarta.websocket.CloseReason closing) {
    try {
      // Jetty waits for the client's own close, and behind a frame that it does not take.
      connected.setMaxIdleTimeout(CLOSE_WITHIN.toMillis());
      connected.close(closing);
    } catch (Exception gone) {
      Log.LOG.log(System.Logger.Level.DEBUG, "A WebSocket could not be closed", gone);
    }
  }

  /** Notes that the connection is over. */
  private void finish(CloseReason reason) {
    if (isLast()) {
      detach(reason);
    }
  }

  /** Returns whether this call ends it. */
  private boolean isLast() {
    if (over.getAndSet(true)) {
      return false;
    }
    open.remove(this);
    Timer.Scheduled task = scheduled;
    if (task != null) {
      task.cancel();
    }
    answers.clear();
    return true;
  }

  private void detach(CloseReason reason) {
    Attachment left = attachment;
    if (left != null) {
      left.detach(reason);
    }
  }

  /** Sends the heartbeat after a silence, and gives up a client that takes nothing. */
  private void tick() {
    if (over.get()) {
      return;
    }
    long now = timer.nanoTime();
    long timeout = settings.writeTimeout().toNanos();
    long heartbeat = settings.heartbeat().toNanos();
    boolean waits = inFlight || session == null;
    long since = waitingSince;
    if (waits && now - since >= timeout) {
      // Not at the first look: after a pause of the process the callback may be on its way.
      if (since == stuckSince) {
        cutOff(CloseReason.STALLED, Frames.closing(CloseReason.STALLED));
        return;
      }
      stuckSince = since;
    }
    boolean due = now - lastGiven >= heartbeat;
    long next = due ? heartbeat : heartbeat - (now - lastGiven);
    if (waits) {
      next = Math.min(next, Math.max(timeout / 8, timeout - (now - since)));
    }
    scheduled = timer.schedule(Duration.ofNanos(next), this::tick);
    if (over.get()) {
      Objects.requireNonNull(scheduled).cancel();
    }
    if (due && !waits) {
      heartbeatDue = true;
      drain();
    }
  }
}
