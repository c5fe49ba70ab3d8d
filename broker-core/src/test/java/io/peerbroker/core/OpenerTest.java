package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Streams that adapters open: their beginning, their end, and failures in between. */
final class OpenerTest {

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final Broker broker = Broker.create();
  private final Party party = new Party(broker);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
  }

  /** A transport that records its calls. */
  private static final class Noting implements Transport {
    final Attachment attachment;
    final List<String> told = new ArrayList<>();

    Noting(Attachment attachment) {
      this.attachment = attachment;
    }

    @Override
    public void ready() {
      told.add("ready");
    }

    @Override
    public void end(CloseReason reason) {
      told.add("end " + reason);
    }

    Event poll() {
      Envelope envelope = attachment.poll();
      return envelope == null ? null : envelope.event();
    }
  }

  private Noting opened;

  private Transport open(Attachment attachment) {
    opened = new Noting(attachment);
    return opened;
  }

  @Test
  void theFirstEventOfAChannelSaysWhoItIs() {
    Channel channel = Wired.openChannel(broker, this::open);
    assertThat(opened.told).containsExactly("ready");
    assertThat(opened.poll())
        .isEqualTo(
            new Event.Opened(
                channel.id(),
                channel.key(),
                Duration.ZERO,
                Duration.ZERO,
                IceConfiguration.none()));
    assertThat(opened.poll()).isNull();
    opened.attachment.consumed(1);
    opened.attachment.detach(CloseReason.GONE);
  }

  @Test
  void whatAnOpenerThrowsComesOutAndNothingHasBeen() {
    for (Throwable thrown : List.of(new IllegalStateException(), new Error())) {
      Transport.Opener failing =
          attachment -> {
            assertThat(attachment.poll()).isNotNull();
            return OpenerTest.<Transport, RuntimeException>sneak(thrown);
          };
      assertThatThrownBy(() -> Wired.openChannel(broker, failing)).isSameAs(thrown);
      assertThatThrownBy(() -> broker.gateway().watch(TagFilter.all(), failing)).isSameAs(thrown);
    }
    party.channel.close();
    LeakAssert.assertNone(broker);
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <R, T extends Throwable> R sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void anOpenerThatAnswersNothingHasFailed() {
    assertThatThrownBy(() -> Wired.openChannel(broker, (Transport.Opener) attachment -> null))
        .isInstanceOf(NullPointerException.class);
    party.channel.close();
    LeakAssert.assertNone(broker);
  }

  @Test
  void aBreakDuringOpeningClosesTheChannel() {
    Channel channel =
        Wired.openChannel(
            broker,
            attachment -> {
              attachment.detach(CloseReason.GONE);
              return new Noting(attachment);
            });
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void anEndDuringOpeningIsReportedAfterwards() {
    Channel channel =
        Wired.openChannel(
            broker,
            attachment -> {
              String id = ((Event.Opened) attachment.poll().event()).id();
              Wired.claim(broker, id, ((LocalBroker) broker).directory.channel(id).key()).close();
              return open(attachment);
            });
    assertThat(channel.isOpen()).isFalse();
    assertThat(opened.told).containsExactly("end CLOSED");
    opened.attachment.detach(CloseReason.GONE);
  }

  @Test
  void isToldToEndOnceAndDetachesOnce() {
    Channel channel = Wired.openChannel(broker, this::open);
    channel.close();
    channel.close();
    assertThat(opened.told).containsExactly("ready", "end CLOSED");
    assertThat(opened.poll()).isInstanceOf(Event.Opened.class);
    opened.attachment.detach(CloseReason.GONE);
    opened.attachment.detach(CloseReason.STALLED);
    opened.attachment.consumed(1);
    assertThat(opened.poll()).isNull();
    assertThat(opened.told).hasSize(2);
  }

  @Test
  void detachingClosesTheChannelAtOnce() {
    Channel channel = Wired.openChannel(broker, this::open);
    Session session = channel.openSession(SessionSpec.listed("a"));
    Party.assertSent(party.send(session.id(), "1"));
    opened.attachment.detach(CloseReason.STALLED);
    assertThat(channel.isOpen()).isFalse();
    assertThat(broker.list(TagFilter.all()).sessions()).isEmpty();
    Party.assertRefused(party.send(session.id(), "2"), Refusal.Code.UNKNOWN_TARGET);
    assertThat(opened.poll()).isNull();
    assertThat(opened.told).containsOnly("ready");
    channel.close();
    assertThat(opened.told).containsOnly("ready");
  }

  @Test
  void whatATransportThrowsHurtsNobody() {
    Transport failing =
        new Transport() {
          @Override
          public void ready() {
            throw new Error("no");
          }

          @Override
          public void end(CloseReason reason) {
            throw new IllegalStateException("no");
          }
        };
    AtomicReference<Attachment> attached = new AtomicReference<>();
    Channel channel =
        Wired.openChannel(
            broker,
            attachment -> {
              attached.set(attachment);
              return failing;
            });
    Replay replay = new Replay();
    broker
        .gateway()
        .watch(
            TagFilter.all(),
            attachment -> {
              attachment.detach(CloseReason.GONE);
              return failing;
            });
    broker.watch(TagFilter.all(), replay, Runnable::run);
    Party.assertSent(party.send(channel.id(), "1"));
    party.host("a");
    channel.close();
    assertThat(replay.told()).containsExactly("ready 0", "add [a]");
    attached.get().detach(CloseReason.GONE);
  }

  @Test
  void whatIsPolledCountsUntilItIsTaken() {
    Channel channel = Wired.openChannel(broker, this::open);
    LocalBroker local = (LocalBroker) broker;
    // It uses the channel's permit.
    assertThat(local.budgets.queues.used()).isZero();
    opened.poll();
    opened.attachment.consumed(1);
    assertThat(local.budgets.queues.used()).isZero();
    party.send(channel.id(), "1");
    long waiting = local.budgets.queues.used();
    assertThat(waiting).isPositive();
    opened.poll();
    assertThat(local.budgets.queues.used()).isEqualTo(waiting);
    opened.attachment.consumed(1);
    assertThat(local.budgets.queues.used()).isZero();
    party.send(channel.id(), "1");
    opened.poll();
    assertThat(local.budgets.queues.used()).isPositive();
    opened.attachment.detach(CloseReason.GONE);
    assertThat(local.budgets.queues.used()).isZero();
  }

  @Test
  void anEventIsEncodedOnceForAllWhoReceiveIt() {
    List<Noting> watchers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      broker.gateway().watch(TagFilter.all(), this::open);
      watchers.add(opened);
      assertThat(opened.poll()).isEqualTo(new Event.Ready(0));
    }
    party.host("a");
    List<byte[]> encoded = new ArrayList<>();
    Function<Envelope, byte[]> encoder = envelope -> new byte[] {1};
    for (Noting watcher : watchers) {
      encoded.add(watcher.attachment.poll().encoded(encoder));
      watcher.attachment.detach(CloseReason.GONE);
    }
    assertThat(encoded).hasSize(3).allMatch(bytes -> bytes == encoded.get(0));
  }

  @Test
  void readersOfTwoTransportsCostTwoEncodings() {
    Envelope envelope = new Envelope(new Event.Ready(0));
    AtomicInteger encodings = new AtomicInteger();
    List<Function<Envelope, byte[]>> encoders = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      byte name = (byte) i;
      encoders.add(
          encoded -> {
            encodings.incrementAndGet();
            return new byte[] {name};
          });
    }
    for (int i = 0; i < 10; i++) {
      assertThat(envelope.encoded(encoders.get(0))).containsExactly(0);
      assertThat(envelope.encoded(encoders.get(1))).containsExactly(1);
    }
    assertThat(encodings).hasValue(2);
    assertThat(envelope.encoded(encoders.get(2))).containsExactly(2);
    assertThat(envelope.encoded(encoders.get(1))).containsExactly(1);
    assertThat(encodings).as("the last two are kept").hasValue(3);
    envelope.encoded(encoders.get(0));
    assertThat(encodings).as("and no more").hasValue(4);
  }

  /** The previous stream is superseded, and the broker closes before the new one is connected. */
  @Test
  void aCutBeforeTheConnectIsForgotten() {
    Broker closing = Broker.builder().drainTimeout(Duration.ZERO).build();
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofSeconds(30));
    List<String> ids = new ArrayList<>();
    Wired.openChannel(
        closing,
        options,
        attachment -> {
          ids.add(attachment.poll().id());
          return new Transport() {
            @Override
            public void ready() {}

            @Override
            public void end(CloseReason reason) {
              attachment.detach(reason);
              closing.close();
            }
          };
        });
    Wired.openChannel(closing, options.after(ids.get(0)), this::open);
    assertThat(opened.told).containsExactly("end SHUTTING_DOWN");
    LeakAssert.assertNone(closing);
  }
}
