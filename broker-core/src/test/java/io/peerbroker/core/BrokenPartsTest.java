package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.CALLS_REAL_METHODS;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.mockConstruction;
import static org.mockito.Mockito.mockStatic;
import static org.mockito.Mockito.when;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.mockito.MockedConstruction;
import org.mockito.MockedStatic;

/**
 * Parts of the broker that fail, as without memory: what was taken is given back, and streams end.
 */
final class BrokenPartsTest {

  private static final Duration GRACE = Duration.ofSeconds(30);

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final ManualTimer time = new ManualTimer();
  private final LocalBroker broker = (LocalBroker) Broker.builder().timer(time).build();
  private final Permits permits = new Permits("channels", 1);
  private final ManualTransport line = new ManualTransport();

  /** A channel that can be resumed, with a stream, whose directory cannot close it. */
  private LocalChannel unclosable() {
    Directory directory = mock(Directory.class);
    when(directory.close(any(LocalChannel.class), any(CloseReason.class)))
        .thenThrow(new LinkageError("on purpose"));
    LocalChannel.Parts parts =
        new LocalChannel.Parts(
            broker.limits(),
            time,
            new Ids(),
            directory,
            broker.router,
            broker.streams,
            new ExpiryQueue(Runnable::run),
            broker.budgets,
            broker.absent,
            new Counters(),
            new Listeners(List.of(), Runnable::run));
    LocalChannel channel =
        new LocalChannel(
            parts, ChannelOptions.none().withResume(GRACE), LocalChannel.Side.WIRE, null);
    ChannelConnection.Stream stream = channel.connection().new Stream(permits.takeAnyway());
    channel.begin(stream, IceConfiguration.none());
    OpenStreams.connect(stream, line::attach);
    return channel;
  }

  private void assertNothingIsKept() {
    assertThat(permits.taken()).isZero();
    assertThat(broker.budgets.queues.used()).isZero();
    assertThat(broker.budgets.replay.used()).isZero();
    assertThat(broker.streams.waiting.longest()).isNull();
  }

  @Test
  @DisplayName("The stream of a channel that cannot be closed is told to end.")
  void streamEnds() {
    LocalChannel channel = unclosable();
    assertThatThrownBy(channel::close).isInstanceOf(LinkageError.class);
    assertThat(line.told).containsExactly("closed");
    assertThatThrownBy(line::cut).isInstanceOf(LinkageError.class);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A channel that gives way and cannot be closed gives its permit and bytes.")
  void givesWay() {
    LocalChannel channel = unclosable();
    line.cut();
    assertThat(permits.taken()).isEqualTo(1);
    assertThatThrownBy(channel.connection()::giveWay).isInstanceOf(LinkageError.class);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A channel that expires and cannot be closed gives its permit and bytes.")
  void expires() {
    LocalChannel unused = unclosable();
    line.cut();
    assertThat(permits.taken()).isEqualTo(1);
    time.advance(GRACE);
    assertNothingIsKept();
  }

  /** Has lists on channels' streams fail when they leave a stream, and when they end. */
  private static MockedConstruction<ChannelWatches> brokenLists() {
    return mockConstruction(
        ChannelWatches.class,
        (made, context) -> {
          doThrow(new LinkageError("on purpose")).when(made).detached(any());
          doThrow(new LinkageError("on purpose")).when(made).close(any());
        });
  }

  @Test
  @DisplayName("The stream of a channel whose lists cannot be ended is told to end.")
  void streamWithListsEnds() {
    LocalChannel channel = unclosable();
    try (MockedConstruction<ChannelWatches> lists = brokenLists()) {
      assertThat(channel.connection().watches()).isSameAs(lists.constructed().get(0));
    }
    assertThatThrownBy(channel::close).isInstanceOf(LinkageError.class);
    assertThat(line.told).containsExactly("closed");
    assertThatThrownBy(line::cut).isInstanceOf(LinkageError.class);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A channel whose lists cannot be ended expires, and gives its permit and bytes.")
  void expiresWithLists() {
    LocalChannel channel = unclosable();
    try (MockedConstruction<ChannelWatches> lists = brokenLists()) {
      assertThat(channel.connection().watches()).isSameAs(lists.constructed().get(0));
    }
    assertThatThrownBy(line::cut).isInstanceOf(LinkageError.class);
    assertThat(permits.taken()).isEqualTo(1);
    time.advance(GRACE);
    assertNothingIsKept();
  }

  @Test
  @DisplayName("A watch on a channel's stream that cannot be ended does not spare the others.")
  void listsEnd() {
    ManualTransport reader = ManualTransport.open(broker, ChannelOptions.none());
    ChannelWatches lists = broker.directory.channel(reader.channel.id()).connection().watches();
    ParsedFilter filter = ParsedFilter.of(TagFilter.all());
    AbstractAttachment unendable = mock(AbstractAttachment.class);
    doThrow(new LinkageError("on purpose")).when(unendable).detach(any());
    List<Transport> carried = new ArrayList<>();
    lists.watch("x", filter, asked -> opener -> carried.add(opener.open(unendable)));
    LocalWatch other = begin();
    lists.watch("y", filter, asked -> opener -> carried.add(opener.open(other)));
    reader.cut();
    assertThat(carried).hasSize(2);
    assertThat(other.isDetached()).isTrue();
    log.assertSize(1);
  }

  @Test
  @DisplayName("A watch that cannot be made has no permit.")
  void watch() {
    try (MockedConstruction<Lifecycle.OfWatch> watches =
        mockConstruction(
            Lifecycle.OfWatch.class,
            (made, context) -> {
              throw new LinkageError("on purpose");
            })) {
      assertThatThrownBy(() -> broker.watch(TagFilter.all(), new Replay()))
          .hasRootCauseMessage("on purpose");
      assertThat(watches.constructed()).isEmpty();
    }
    assertThat(broker.stats().watches()).isZero();
  }

  @Test
  @DisplayName("A refused change throws what the policy threw, with its stack.")
  void refusal() {
    LocalChannel channel =
        (LocalChannel) ManualTransport.open(broker, ChannelOptions.none()).channel;
    RefusedException refused = RefusedException.of(Refusal.Code.UNKNOWN_SESSION, "No.");
    assertThatThrownBy(
            () ->
                channel.openSession(
                    SessionSpec.listed("a"),
                    asked -> {
                      throw refused;
                    }))
        .isSameAs(refused);
  }

  @Test
  @DisplayName("A watch that has ended keeps nothing that leads to its caller.")
  void endedWatch() {
    LocalWatch ended = begin();
    ended.setRecheck(() -> {});
    ended.detach(CloseReason.GONE);
    assertThat(ended).extracting("recheck").isNull();
    LocalWatch late = begin();
    late.detach(CloseReason.GONE);
    late.setRecheck(() -> {});
    assertThat(late).extracting("recheck").isNull();
  }

  @Test
  @DisplayName("A session whose event cannot be made is not opened: no part knows it.")
  void sessionThatFails() {
    Channel channel = ManualTransport.open(broker, ChannelOptions.none()).channel;
    try (MockedStatic<Envelope> envelopes = mockStatic(Envelope.class, CALLS_REAL_METHODS)) {
      envelopes
          .when(() -> Envelope.added(any(), anyInt()))
          .thenThrow(new LinkageError("on purpose"));
      assertThatThrownBy(() -> channel.openSession(SessionSpec.listed("a")))
          .isInstanceOf(LinkageError.class);
    }
    assertNoSessions();
    assertThat(channel.sessions()).isEmpty();
    Session opened = channel.openSession(SessionSpec.listed("a"));
    assertThat(broker.list(TagFilter.parse("a")).sessions())
        .extracting(ListedSession::id)
        .containsExactly(opened.id());
  }

  @Test
  @DisplayName("An update that fails changes neither the session nor the list.")
  void updateThatFails() {
    Channel channel = ManualTransport.open(broker, ChannelOptions.none()).channel;
    Session session = channel.openSession(SessionSpec.listed("a"));
    int bytes = (int) broker.directory.sessionBytes.used();
    try (MockedStatic<Envelope> envelopes = mockStatic(Envelope.class, CALLS_REAL_METHODS)) {
      envelopes
          .when(() -> Envelope.added(any(), anyInt()))
          .thenThrow(new LinkageError("on purpose"));
      envelopes.when(() -> Envelope.removed(anyString())).thenThrow(new LinkageError("on purpose"));
      assertThatThrownBy(() -> session.update(SessionUpdate.nothing().withTags("b", "c")))
          .isInstanceOf(LinkageError.class);
      assertThatThrownBy(() -> session.update(SessionUpdate.nothing().withListed(false)))
          .isInstanceOf(LinkageError.class);
    }
    assertThat(((LocalSession) session).state.tags()).containsExactly("a");
    assertThat(broker.list(TagFilter.parse("a")).sessions()).hasSize(1);
    assertThat(broker.list(TagFilter.parse("b")).sessions()).isEmpty();
    assertThat(broker.directory.listedCount()).isEqualTo(1);
    assertThat(broker.directory.sessionBytes.used()).isEqualTo(bytes);
  }

  @Test
  @DisplayName(
      "A close that fails for one session forgets all, and wakes the watches of the others.")
  void closeThatFails() {
    Channel channel = ManualTransport.open(broker, ChannelOptions.none()).channel;
    String broken = channel.openSession(SessionSpec.listed("a")).id();
    for (String tag : List.of("b", "c")) {
      Session unused = channel.openSession(SessionSpec.listed(tag));
    }
    AtomicInteger woken = new AtomicInteger();
    LocalWatch watch =
        broker.watch(
            ParsedFilter.of(TagFilter.parse("c")),
            null,
            broker.streams.watches,
            attachment -> counting(woken));
    while (watch.poll() != null) {
      watch.consumed(1);
    }
    time.advance(Duration.ofSeconds(1));
    woken.set(0);
    try (MockedStatic<Envelope> envelopes = mockStatic(Envelope.class, CALLS_REAL_METHODS)) {
      envelopes.when(() -> Envelope.removed(broken)).thenThrow(new LinkageError("on purpose"));
      assertThatThrownBy(channel::close).isInstanceOf(LinkageError.class);
    }
    assertNoSessions();
    assertThat(woken).hasPositiveValue();
    Envelope polled = watch.poll();
    assertThat(polled).isNotNull();
    assertThat(polled.event()).isInstanceOf(Event.Removed.class);
  }

  /** A transport that counts how often it is woken. */
  private static Transport counting(AtomicInteger woken) {
    return new Transport() {
      @Override
      public void ready() {
        woken.incrementAndGet();
      }

      @Override
      public void end(CloseReason reason) {}
    };
  }

  private void assertNoSessions() {
    assertThat(broker.directory.sessionCount()).isZero();
    assertThat(broker.directory.listedCount()).isZero();
    assertThat(broker.directory.sessionBytes.used()).isZero();
    assertThat(broker.list(TagFilter.all()).sessions()).isEmpty();
    assertThat(broker.list(TagFilter.parse("a")).sessions()).isEmpty();
  }

  private LocalWatch begin() {
    return broker.watch(
        ParsedFilter.of(TagFilter.all()),
        null,
        broker.streams.watches,
        new ManualTransport()::attach);
  }
}
