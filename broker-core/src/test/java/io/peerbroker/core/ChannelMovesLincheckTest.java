package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * A channel that leaves while it is sent to, its reader comes back, its grace runs out and its
 * owner closes it, in every order: what was accepted is in the state, or in the queue, or the
 * channel has ended; and nothing is left in the end.
 */
public final class ChannelMovesLincheckTest {

  private static final Duration GRACE = Duration.ofSeconds(30);

  private final ManualTimer timer = new ManualTimer();
  private final LocalBroker broker = (LocalBroker) Broker.builder().timer(timer).build();
  private final List<Stream> streams = new CopyOnWriteArrayList<>();
  private final String cid;
  private final ResumeId id;

  /** How many messages were accepted. */
  private final AtomicInteger accepted = new AtomicInteger();

  /** The state of the channel while it is nowhere. */
  private final AtomicReference<ChannelState> out = new AtomicReference<>();

  /** The far end of one stream; it ends on request, at once. */
  private final class Stream implements Transport {
    private volatile Attachment attachment;

    Transport open(Attachment given) {
      attachment = given;
      streams.add(this);
      return this;
    }

    @Override
    public void ready() {}

    @Override
    public void end(CloseReason reason) {
      attachment.detach(reason);
    }
  }

  public ChannelMovesLincheckTest() {
    Stream first = new Stream();
    Channel channel =
        Wired.openChannel(broker, ChannelOptions.none().withResume(GRACE), first::open);
    cid = channel.id();
    id = ResumeId.parse(first.attachment.poll().id());
    channel.openSession(SessionSpec.listed("a"));
    // From within the grace every tested state is one step away.
    first.attachment.detach(CloseReason.GONE);
  }

  @Operation
  public void send() {
    Delivery delivery =
        broker.router.route(new Message(cid, cid, Json.NULL)).toCompletableFuture().join();
    if (!(delivery instanceof Delivery.Refused)) {
      accepted.incrementAndGet();
    }
  }

  @Operation
  public void comesBack() {
    LocalChannel channel = broker.directory.channel(cid);
    if (channel != null) {
      broker.resume(channel, id, new Stream()::open, Caller.trusted());
    }
  }

  @Operation
  public void breaks() {
    for (Stream stream : streams) {
      stream.attachment.detach(CloseReason.GONE);
    }
  }

  @Operation
  public void release() {
    if (broker.moves.release(id) instanceof Release.Done done) {
      check(out.getAndSet(done.state()) == null, "it was in two places");
    }
  }

  @Operation
  public void takeBack() {
    ChannelState state = out.getAndSet(null);
    if (state != null) {
      broker.moves.adoptWaiting(state);
    }
  }

  @Operation(runOnce = true)
  public void timePasses() {
    timer.advance(GRACE);
  }

  @Operation(runOnce = true)
  public void close() {
    LocalChannel channel = broker.directory.channel(cid);
    if (channel != null) {
      channel.close();
    }
  }

  @Validate
  public void keepsItsPromises() {
    ChannelState state = out.get();
    LocalChannel channel = broker.directory.channel(cid);
    if (state != null) {
      check(channel == null, "it is here and out");
      check(state.queue().events().size() == accepted.get(), "not all is in the state");
      check(state.sessions().size() == 1, "sessions: " + state.sessions());
    } else if (channel != null) {
      Stream last = new Stream();
      broker.resume(channel, id, last::open, Caller.trusted());
      int read = 0;
      while (last.attachment.poll() != null) {
        read++;
      }
      check(read == accepted.get(), read + " read of " + accepted.get());
      check(channel.sessions().size() == 1, "sessions: " + channel.sessions());
      channel.close();
    }
    for (Stream stream : streams) {
      stream.attachment.detach(CloseReason.GONE);
    }
    check(timer.scheduled() == 0, "tasks: " + timer.scheduled());
    check(broker.budgets.used() == 0, "bytes: " + broker.budgets.used());
    check(broker.absent.total() == 0, "absent: " + broker.absent.total());
    check(broker.directory.sessionBytes.used() == 0, "bytes of sessions");
    check(LeakAssert.permitsTaken(broker) == 0, "permits: " + LeakAssert.permitsTaken(broker));
    check(broker.streams.count() == 0, "streams: " + broker.streams.count());
    check(broker.directory.channels().isEmpty(), "still in the directory");
    check(broker.stats().waiting() == 0, "waiting: " + broker.stats().waiting());
  }

  private static void check(boolean holds, String wrong) {
    if (!holds) {
      throw new IllegalStateException(wrong);
    }
  }

  @Test
  void keepsItsPromisesInEveryOrder() {
    Lincheck.check(getClass(), 15);
  }
}
