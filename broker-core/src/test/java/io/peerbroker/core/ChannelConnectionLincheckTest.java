package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * A channel whose stream breaks, whose reader comes back, whose grace and lease run out and whose
 * owner closes it, in every order: a reader that was let back in has an open channel until
 * something else closes it, and nothing is left in the end.
 */
public final class ChannelConnectionLincheckTest {

  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final Duration LEASE = Duration.ofSeconds(20);

  private final ManualTimer timer = new ManualTimer();
  private final LocalBroker broker = (LocalBroker) Broker.builder().timer(timer).build();
  private final List<Stream> streams = new CopyOnWriteArrayList<>();
  private final LocalChannel channel;
  private final String id;
  private volatile boolean closed;

  /** The far end of one stream; it ends on request, at once. */
  private final class Stream implements Transport {
    private volatile Attachment attachment;

    /** The reason that it was given; null while it may still be read. */
    private volatile CloseReason told;

    private volatile boolean broken;

    Transport open(Attachment given) {
      attachment = given;
      streams.add(this);
      return this;
    }

    void breakOff() {
      broken = true;
      attachment.detach(CloseReason.GONE);
    }

    @Override
    public void ready() {}

    @Override
    public void end(CloseReason reason) {
      told = reason;
      attachment.detach(reason);
    }
  }

  public ChannelConnectionLincheckTest() {
    ChannelOptions options = ChannelOptions.none().withResume(GRACE).withLease(LEASE);
    Stream first = new Stream();
    channel = (LocalChannel) Wired.openChannel(broker, options, first::open);
    id = first.attachment.poll().id();
    // From within the grace every tested state is one step away.
    first.breakOff();
  }

  @Operation
  public void comesBack() {
    broker.resume(channel, ResumeId.parse(id), new Stream()::open, Caller.trusted());
  }

  @Operation
  public void breaks() {
    streams.get(streams.size() - 1).breakOff();
  }

  @Operation(nonParallelGroup = "time")
  public void timePasses() {
    timer.advance(LEASE);
  }

  @Operation(nonParallelGroup = "time")
  public void muchTimePasses() {
    timer.advance(GRACE);
  }

  @Operation
  public void isHeard() {
    channel.connection().heard();
  }

  @Operation(runOnce = true)
  public void close() {
    closed = true;
    channel.close();
  }

  @Validate
  public void keepsItsPromises() {
    for (Stream stream : streams) {
      // No reader is let back into a channel whose grace has run out.
      check(stream.told != CloseReason.EXPIRED, "expired under a reader");
      check(channel.isOpen() || stream.broken || stream.told != null, "left on a closed channel");
      check(closed || stream.told != CloseReason.CLOSED, "closed without a cause");
    }
    check(!closed || !channel.isOpen(), "open though it was closed");
    streams.forEach(stream -> stream.attachment.detach(CloseReason.GONE));
    check(timer.scheduled() == (channel.isOpen() ? 1 : 0), "tasks: " + timer.scheduled());
    timer.advance(GRACE);
    check(!channel.isOpen(), "open for ever");
    check(timer.scheduled() == 0, "a task is left");
    check(broker.budgets.queues.used() == 0, "bytes are left");
    check(LeakAssert.permitsTaken(broker) == 0, "permits: " + LeakAssert.permitsTaken(broker));
    check(broker.directory.channels().isEmpty(), "still in the directory");
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
