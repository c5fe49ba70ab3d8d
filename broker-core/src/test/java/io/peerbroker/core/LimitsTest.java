package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each limit at its bound and one beyond it, as a caller of the broker sees it. */
final class LimitsTest {

  private final ManualTimer timer = new ManualTimer();
  private final BrokerBuilder builder = Broker.builder().timer(timer);
  private Broker broker;

  /** The application's own channels have no such bounds: {@link OwnChannelsTest}. */
  private Broker strangers;

  private Party party() {
    if (broker == null) {
      broker = builder.build();
      strangers = broker.forCaller(Caller.of(null));
    }
    return new Party(strangers);
  }

  @AfterEach
  void nothingIsLeft() {
    if (broker != null) {
      broker.close();
      LeakAssert.assertNone(broker);
    }
  }

  private static Json stringOf(int bytes) {
    return Json.of("x".repeat(bytes - 2));
  }

  private static Json nested(int levels) {
    return Json.parse("[".repeat(levels) + "]".repeat(levels));
  }

  private static String[] tags(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toArray(String[]::new);
  }

  @Test
  @Tag("X2")
  void messagesHaveABound() {
    builder.maxMessageBytes(100);
    Party party = party();
    Party.assertSent(Party.answer(party.channel.send(party.id(), stringOf(100))));
    Party.assertRefused(
        Party.answer(party.channel.send(party.id(), stringOf(101))), Code.TOO_LARGE);
    assertThat(party.received).hasSize(1);
  }

  @Test
  @Tag("X3")
  void metadataHasABound() {
    builder.maxMetadataBytes(100);
    Party party = party();
    SessionSpec spec = SessionSpec.listed("a");
    Session session = party.channel.openSession(spec.withMetadata(stringOf(100)));
    assertRefused(
        () -> party.channel.openSession(spec.withMetadata(stringOf(101))), Code.TOO_LARGE);
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withMetadata(stringOf(101)).withTags("b")),
        Code.TOO_LARGE);
    assertThat(session.tags()).containsExactly("a");
    assertThat(party.channel.sessions()).containsExactly(session);
  }

  @Test
  @Tag("X4")
  void aTagThatComesAgainDoesNotCount() {
    builder.maxTagsPerSession(3);
    Party party = party();
    Session session = party.host("0", "1", "2", "0 ", " 1");
    assertRefused(() -> party.host(tags(4)), Code.INVALID_REQUEST).contains("'tags'");
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withTags(tags(4))), Code.INVALID_REQUEST);
    session.update(SessionUpdate.nothing().withTags("x", "y", "z"));
    assertThat(session.tags()).containsExactly("x", "y", "z");
  }

  @Test
  @Tag("X5")
  void closingASessionMakesRoomOnItsChannel() {
    builder.maxSessionsPerChannel(2);
    Party party = party();
    Session first = party.host("a");
    party.host("b");
    assertRefused(() -> party.host("c"), Code.TOO_MANY_SESSIONS);
    assertThat(broker.list(TagFilter.all()).sessions()).hasSize(2);
    first.close();
    party.host("c");
    assertRefused(() -> party.host("d"), Code.TOO_MANY_SESSIONS);
  }

  @Test
  @Tag("X16")
  void allSessionsTogetherHaveABound() {
    // Two sessions with a tag of one char and 98 bytes of metadata: 600 + 98 + 302 for each.
    builder.maxTotalSessionBytes(2_000);
    Party one = party();
    Party another = new Party(strangers);
    SessionSpec spec = SessionSpec.listed("a").withMetadata(stringOf(98));
    Session first = one.channel.openSession(spec);
    assertRefused(
        () -> another.channel.openSession(spec.withMetadata(stringOf(99))), Code.AT_CAPACITY);
    Session second = another.channel.openSession(spec);
    assertRefused(() -> one.channel.openSession(SessionSpec.unlisted()), Code.AT_CAPACITY);
    assertThat(broker.list(TagFilter.all()).sessions()).hasSize(2);
    first.close();
    first.close();
    one.channel.openSession(spec);
    another.channel.close();
    assertThat(second.isOpen()).isFalse();
    one.channel.openSession(spec);
    assertRefused(() -> one.channel.openSession(SessionSpec.unlisted()), Code.AT_CAPACITY);
  }

  @Test
  @Tag("X16")
  void anUpdateCountsForWhatItAddsAndRemoves() {
    builder.maxTotalSessionBytes(1_000);
    Party party = party();
    Session session = party.host("a");
    session.update(SessionUpdate.nothing().withMetadata(stringOf(98)));
    assertRefused(
        () -> session.update(SessionUpdate.nothing().withTags("b").withMetadata(stringOf(99))),
        Code.AT_CAPACITY);
    assertThat(session.tags()).containsExactly("a");
    session.update(SessionUpdate.nothing().withTags("b"));
    session.update(SessionUpdate.nothing().withTags().withMetadata(stringOf(400)));
    assertRefused(() -> session.update(SessionUpdate.nothing().withTags("c")), Code.AT_CAPACITY);
    assertThat(session.tags()).isEmpty();
    session.update(SessionUpdate.nothing().withMetadata(Json.NULL).withTags("c"));
  }

  @Test
  @Tag("X6")
  void aMessageNestsOneLevelLessThanItsBody() {
    builder.maxJsonDepth(4);
    Party party = party();
    Party.assertSent(Party.answer(party.channel.send(party.id(), nested(3))));
    Party.assertRefused(
        Party.answer(party.channel.send(party.id(), nested(4))), Code.MALFORMED_JSON);
    SessionSpec spec = SessionSpec.listed("a");
    party.channel.openSession(spec.withMetadata(nested(3)));
    assertRefused(
        () -> party.channel.openSession(spec.withMetadata(nested(4))), Code.MALFORMED_JSON);
  }

  @Test
  @Tag("X7")
  void aQueueHasABoundOfEvents() {
    builder.maxQueuedEvents(3);
    Party sender = party();
    ManualExecutor hands = new ManualExecutor();
    Party reader = new Party(strangers, hands);
    hands.runAll();
    for (int i = 0; i < 3; i++) {
      Party.assertSent(sender.send(reader.id(), "1"));
    }
    Party.assertRefused(sender.send(reader.id(), "2"), Code.TARGET_BUSY);
    assertThat(reader.channel.isOpen()).isTrue();
    Party.assertSent(sender.send(sender.id(), "3"));
    hands.runAll();
    Party.assertSent(sender.send(reader.id(), "4"));
    hands.runAll();
    assertThat(reader.texts()).containsExactly("1", "1", "1", "4");
    sender.channel.close();
    reader.channel.close();
    hands.runAll();
  }

  @Test
  @Tag("X7")
  void aQueueHasABoundOfBytes() {
    builder.maxQueuedBytes(10_000).maxMessageBytes(10_000);
    Party sender = party();
    ManualExecutor hands = new ManualExecutor();
    Party reader = new Party(strangers, hands);
    hands.runAll();
    int around = new Event.Received(new Message(sender.id(), reader.id(), Json.NULL)).size() - 4;
    Json half = stringOf(5_000 - around);
    Party.assertSent(Party.answer(sender.channel.send(reader.id(), half)));
    Party.assertRefused(
        Party.answer(sender.channel.send(reader.id(), stringOf(5_001 - around))), Code.TARGET_BUSY);
    Party.assertSent(Party.answer(sender.channel.send(reader.id(), half)));
    Party.assertRefused(sender.send(reader.id(), "1"), Code.TARGET_BUSY);
    reader.channel.close();
    hands.runAll();
    assertThat(reader.received).hasSize(2);
  }

  @Test
  @Tag("X7")
  void aQueuedMessageDoesNotKeepItsBody() {
    Party sender = party();
    ManualExecutor hands = new ManualExecutor();
    Party reader = new Party(strangers, hands);
    byte[] body =
        ("{\"message\":1,\"x\":\"" + "x".repeat(10_000) + "\"}").getBytes(StandardCharsets.UTF_8);
    Json slice = Json.members(body, 2).get("message");
    assertThat(Party.answer(sender.channel.send(reader.id(), slice)))
        .isEqualTo(new Delivery.Sent());
    hands.runAll();
    Json kept = reader.received.get(0).json();
    assertThat(kept).isEqualTo(slice).extracting("utf8").isEqualTo(new byte[] {'1'});
    reader.channel.close();
    hands.runAll();
  }

  @Test
  @Tag("X8")
  void allQueuesTogetherHaveABound() {
    builder.maxTotalQueuedBytes(8_000);
    Party sender = party();
    ManualExecutor hands = new ManualExecutor();
    Party reader = new Party(strangers, hands);
    hands.runAll();
    Party.assertSent(Party.answer(sender.channel.send(reader.id(), stringOf(1_200))));
    Party.assertRefused(
        Party.answer(sender.channel.send(sender.id(), stringOf(1_200))), Code.AT_CAPACITY);
    hands.runAll();
    Party.assertSent(Party.answer(sender.channel.send(sender.id(), stringOf(1_200))));
    assertThat(((LocalBroker) broker).budgets.queues.used()).isZero();
    reader.channel.close();
    hands.runAll();
  }

  @Test
  @Tag("X8")
  void theQueuesBudgetIsSharedToTheByte() {
    builder.maxTotalQueuedBytes(16_000).maxChannels(8);
    Party sender = party();
    ManualExecutor hands = new ManualExecutor();
    List<Party> readers = Stream.generate(() -> new Party(strangers, hands)).limit(4).toList();
    String first = readers.get(0).id();
    // An eighth goes to the queues that come first.
    Party.assertSent(sent(sender, first, 1_200));
    Party.assertRefused(sent(sender, first, 801), Code.AT_CAPACITY);
    Party.assertSent(sent(sender, first, 800));
    Party.assertRefused(sent(sender, first, 300), Code.AT_CAPACITY);
    // Another is for queues that are empty.
    Party.assertRefused(sent(sender, readers.get(1).id(), 2_001), Code.AT_CAPACITY);
    Party.assertSent(sent(sender, readers.get(1).id(), 2_000));
    Party.assertRefused(sent(sender, readers.get(2).id(), 1_001), Code.AT_CAPACITY);
    // Half of all is in equal shares.
    for (Party reader : readers.subList(2, 4)) {
      Party.assertSent(sent(sender, reader.id(), 600));
      Party.assertRefused(sent(sender, reader.id(), 401), Code.AT_CAPACITY);
      Party.assertSent(sent(sender, reader.id(), 400));
      Party.assertRefused(sent(sender, reader.id(), 300), Code.AT_CAPACITY);
    }
    assertThat(((LocalBroker) broker).budgets.queues.used()).isEqualTo(6_000);
    readers.forEach(reader -> reader.channel.close());
    hands.runAll();
  }

  /** Sends a message that counts for so many bytes. */
  private static Delivery sent(Party sender, String target, int bytes) {
    int around = new Event.Received(new Message(sender.id(), target, Json.NULL)).size() - 4;
    return Party.answer(sender.channel.send(target, stringOf(bytes - around)));
  }

  @Test
  @Tag("X9")
  void closingAChannelMakesRoom() {
    builder.maxChannels(2);
    Party first = party();
    new Party(strangers);
    for (int i = 0; i < 10; i++) {
      assertRefused(() -> new Party(strangers), Code.AT_CAPACITY);
    }
    assertThat(((LocalBroker) broker).budgets.queues.used()).isZero();
    first.channel.close();
    new Party(strangers);
    assertRefused(() -> new Party(strangers), Code.AT_CAPACITY);
  }

  @Test
  @Tag("X10")
  void closingAWatchMakesRoom() {
    builder.maxWatches(2);
    party();
    Watch first = strangers.watch(TagFilter.all(), new Replay(), Runnable::run);
    strangers.watch(TagFilter.parse("a"), new Replay(), Runnable::run);
    assertRefused(
        () -> strangers.watch(TagFilter.all(), new Replay(), Runnable::run), Code.AT_CAPACITY);
    first.close();
    strangers.watch(TagFilter.all(), new Replay(), Runnable::run);
    assertRefused(
        () -> strangers.watch(TagFilter.all(), new Replay(), Runnable::run), Code.AT_CAPACITY);
  }

  @Test
  @Tag("X11")
  void aWatchThatFallsBehindEndsAndHurtsNobody() {
    builder.listPause(Duration.ZERO).maxQueuedEvents(2);
    Party party = party();
    ManualExecutor hands = new ManualExecutor();
    Replay slow = new Replay();
    Replay fast = new Replay();
    strangers.watch(TagFilter.all(), slow, hands);
    strangers.watch(TagFilter.all(), fast, Runnable::run);
    hands.runAll();
    party.host("a");
    Session b = party.host("b");
    b.update(SessionUpdate.nothing().withTags("c"));
    hands.runAll();
    assertThat(slow.closed()).isNull();
    party.host("d");
    party.host("e");
    party.host("f");
    hands.runAll();
    assertThat(slow.closed()).isEqualTo(CloseReason.OVERFLOW);
    assertThat(fast.held()).hasSize(5).isEqualTo(broker.list(TagFilter.all()).sessions());
    slow.assertNothingWrong();
  }

  @Test
  @Tag("X11")
  void aWatchHasABoundOfBytes() {
    ListedSession plain =
        new ListedSession("x".repeat(36), List.of(), Json.parse("\"" + "x".repeat(98) + "\""));
    builder
        .listPause(Duration.ZERO)
        .maxQueuedBytes(2 * (SessionChange.BYTES + new Event.Added(plain).size()));
    Party party = party();
    ManualExecutor hands = new ManualExecutor();
    Replay atTheBound = new Replay();
    Replay beyond = new Replay();
    strangers.watch(TagFilter.all(), atTheBound, hands);
    hands.runAll();
    SessionSpec spec = SessionSpec.listed().withMetadata(stringOf(100));
    party.channel.openSession(spec);
    party.channel.openSession(spec);
    hands.runAll();
    assertThat(atTheBound.closed()).isNull();
    assertThat(atTheBound.held()).hasSize(2);
    strangers.watch(TagFilter.all(), beyond, hands);
    hands.runAll();
    party.channel.openSession(spec);
    party.channel.openSession(spec.withMetadata(stringOf(101)));
    // The next round of wake-ups finds that it has not read.
    party.host("a");
    hands.runAll();
    assertThat(beyond.closed()).isEqualTo(CloseReason.OVERFLOW);
  }

  @Test
  @Tag("X11")
  void sessionsThereAtTheStartDoNotCount() {
    builder.maxQueuedEvents(2);
    Party party = party();
    for (int i = 0; i < 10; i++) {
      party.host("a");
    }
    Replay replay = new Replay();
    strangers.watch(TagFilter.all(), replay, Runnable::run);
    assertThat(replay.held()).hasSize(10);
    assertThat(replay.closed()).isNull();
  }

  @Test
  @Tag("X13")
  void aSendAboveTheRateIsToldWhenToRetry() {
    builder.messageRate(new Limits.Rate(10, 3));
    Party party = party();
    Party other = new Party(strangers);
    for (int i = 0; i < 3; i++) {
      Party.assertSent(party.send(other.id(), "1"));
    }
    assertThat(party.send(other.id(), "2"))
        .isInstanceOfSatisfying(
            Delivery.Refused.class,
            refused -> {
              assertThat(refused.refusal().code()).isEqualTo(Code.RATE_LIMITED);
              assertThat(refused.refusal().retryAfter()).isEqualTo(Duration.ofMillis(100));
            });
    Party.assertSent(other.send(party.id(), "3"));
    timer.advance(Duration.ofMillis(100));
    Party.assertSent(party.send(other.id(), "4"));
    Party.assertRefused(party.send(other.id(), "5"), Code.RATE_LIMITED);
    assertThat(other.texts()).containsExactly("1", "1", "1", "4");
  }

  @Test
  @Tag("X14")
  void changesOfSessionsHaveARate() {
    builder.sessionRate(new Limits.Rate(10, 3));
    Party party = party();
    Session session = party.host("a");
    session.update(SessionUpdate.nothing().withTags("b"));
    Session other = party.host("c");
    assertRefused(() -> party.host("d"), Code.RATE_LIMITED);
    assertRefused(() -> session.update(SessionUpdate.nothing().withTags("e")), Code.RATE_LIMITED);
    assertThat(session.tags()).containsExactly("b");
    // A close is never refused, but it counts: it borrows a permit, and the next one must be
    // earned.
    session.close();
    session.close();
    assertThat(party.channel.sessions()).containsExactly(other);
    timer.advance(Duration.ofMillis(199));
    assertRefused(() -> party.host("d"), Code.RATE_LIMITED);
    timer.advance(Duration.ofMillis(1));
    party.host("d").close();
    assertRefused(() -> party.host("d"), Code.RATE_LIMITED);
    // The channel itself can always be closed.
    party.channel.close();
    assertThat(other.isOpen()).isFalse();
  }

  @Test
  @Tag("X12")
  void refusedRequestsDoNotCountAgainstARate() {
    builder
        .messageRate(new Limits.Rate(1, 1))
        .sessionRate(new Limits.Rate(1, 2))
        .maxSessionsPerChannel(1);
    Party party = party();
    for (int i = 0; i < 5; i++) {
      Party.assertRefused(party.send("nobody", "1"), Code.UNKNOWN_TARGET);
    }
    Party.assertSent(party.send(party.id(), "1"));
    Party.assertRefused(party.send("nobody", "1"), Code.UNKNOWN_TARGET);
    Party.assertRefused(party.send(party.id(), "1"), Code.RATE_LIMITED);
    Session session = party.host("a");
    for (int i = 0; i < 5; i++) {
      assertRefused(() -> party.host("b"), Code.TOO_MANY_SESSIONS);
    }
    session.close();
    assertRefused(() -> party.host("c"), Code.RATE_LIMITED);
  }

  @Test
  void ratesCanBeLifted() {
    builder.messageRate(Limits.Rate.UNLIMITED).sessionRate(Limits.Rate.UNLIMITED);
    Party party = party();
    Session session = party.host("a");
    for (int i = 0; i < 1_000; i++) {
      Party.assertSent(party.send(session.id(), "1"));
      session.update(SessionUpdate.nothing().withTags(Integer.toString(i)));
    }
    assertThat(party.received).hasSize(1_000);
  }

  @Test
  void theDefaultsAreThoseOfTheProtocol() {
    party();
    Limits.Values expected = new Limits.Values();
    expected.maxChannels = 20_000;
    expected.maxWatches = 20_000;
    expected.maxSessionsPerChannel = 64;
    expected.maxWatchesPerChannel = 16;
    expected.maxTagsPerSession = 32;
    expected.maxMessageBytes = 49_152;
    expected.maxMetadataBytes = 16_384;
    expected.maxJsonDepth = 64;
    expected.maxQueuedEvents = 1_024;
    expected.maxQueuedBytes = 1_048_576;
    expected.maxTotalQueuedBytes = 536_870_912;
    expected.maxTotalSessionBytes = 1_073_741_824;
    expected.maxTotalWatchBytes = 268_435_456;
    expected.maxReplayEvents = 512;
    expected.maxReplayBytes = 262_144;
    expected.messageRate = new Limits.Rate(100, 200);
    expected.sessionRate = new Limits.Rate(100, 200);
    expected.maxResume = Duration.ofMinutes(1);
    expected.minLease = Duration.ofSeconds(15);
    expected.maxLease = Duration.ofMinutes(5);
    expected.listPause = Duration.ofMillis(50);
    expected.drainTimeout = Duration.ofSeconds(5);
    assertThat(broker.limits()).isEqualTo(new Limits(expected));
  }

  @Test
  void openToEverybodyIsTighter() {
    builder.openToEverybody();
    Party party = party();
    long heap = Runtime.getRuntime().maxMemory();
    Limits.Values expected = new Limits.Values();
    expected.maxChannels = 10_000;
    expected.maxWatches = 10_000;
    expected.maxSessionsPerChannel = 4;
    expected.maxWatchesPerChannel = 4;
    expected.maxTagsPerSession = 8;
    expected.maxMessageBytes = 32_768;
    expected.maxMetadataBytes = 1_024;
    expected.maxJsonDepth = 16;
    expected.maxQueuedEvents = 256;
    expected.maxQueuedBytes = 262_144;
    expected.maxTotalQueuedBytes = Math.min(heap / 8, 536_870_912);
    expected.maxTotalSessionBytes = Math.min(heap / 8, 1_073_741_824);
    expected.maxTotalWatchBytes = Math.min(heap / 16, 268_435_456);
    expected.maxReplayEvents = 128;
    expected.maxReplayBytes = 65_536;
    expected.messageRate = new Limits.Rate(20, 100);
    expected.sessionRate = new Limits.Rate(2, 10);
    expected.maxResume = Duration.ofSeconds(30);
    expected.minLease = Duration.ofSeconds(15);
    expected.maxLease = Duration.ofMinutes(5);
    expected.listPause = Duration.ofMillis(50);
    expected.drainTimeout = Duration.ofSeconds(5);
    assertThat(broker.limits()).isEqualTo(new Limits(expected));
    assertRefused(() -> Wired.claimHost(broker, party.id(), null), Code.INVALID_REQUEST)
        .contains("this broker requires the channel's key");
  }

  @Test
  void whatIsSetAfterAPresetWins() {
    builder.openToEverybody().maxSessionsPerChannel(1).requireSessionKey(false);
    Party party = party();
    party.host("a");
    assertRefused(() -> party.host("b"), Code.TOO_MANY_SESSIONS);
    assertThat(broker.limits().maxTagsPerSession()).isEqualTo(8);
    assertRefused(() -> Wired.claimHost(broker, "x", null), Code.UNKNOWN_CHANNEL);
  }

  @Test
  void aBuilderTakesNoBoundThatMakesNoSense() {
    List<Runnable> wrong =
        List.of(
            () -> builder.maxChannels(0),
            () -> builder.maxWatches(0),
            () -> builder.maxSessionsPerChannel(-1),
            () -> builder.maxTagsPerSession(0),
            () -> builder.maxMessageBytes(0),
            () -> builder.maxMetadataBytes(0),
            () -> builder.maxJsonDepth(1),
            () -> builder.maxJsonDepth(Json.MAX_DEPTH + 1),
            () -> builder.maxQueuedEvents(0),
            () -> builder.maxQueuedBytes(0),
            () -> builder.maxTotalQueuedBytes(0),
            () -> builder.maxTotalSessionBytes(0),
            () -> builder.maxTotalWatchBytes(0),
            () -> builder.listPause(Duration.ofNanos(-1)),
            () -> builder.listPause(Duration.ofMinutes(1).plusNanos(1)),
            () -> builder.drainTimeout(Duration.ofNanos(-1)),
            () -> builder.drainTimeout(Duration.ofHours(1).plusNanos(1)),
            () -> new Limits.Rate(0, 1),
            () -> new Limits.Rate(1, 0),
            () -> new Limits.Rate(-1, -1));
    for (Runnable call : wrong) {
      assertThatIllegalArgumentException().isThrownBy(call::run);
    }
  }
}
