package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Refusal.Code;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Lists on a channel's own stream. */
final class ChannelWatchesTest {

  private static final ChannelOptions RESUME =
      ChannelOptions.none().withResume(Duration.ofMinutes(1));
  private static final ParsedFilter TAGGED = ParsedFilter.of(TagFilter.parse("a"));
  private static final Caller ADA = caller("ada");
  private static final Caller BOB = caller("bob");
  private static final Caller CAROL = caller("carol");

  private static Caller caller(String name) {
    Principal principal = () -> name;
    return Caller.of(principal);
  }

  private final ManualTimer timer = new ManualTimer();
  private final ContractListener witness = new ContractListener();

  /** What each caller may see. */
  private Function<Caller, Scope> scope = caller -> Scope.all();

  /** Who was asked about. */
  private final List<String> asked = new ArrayList<>();

  private final AccessPolicy policy =
      new AccessPolicy() {
        @Override
        public Scope scope(Caller caller, TagFilter filter) {
          asked.add(caller.principal().getName() + " " + filter);
          return scope.apply(caller);
        }
      };

  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .timer(timer)
              .accessPolicy(policy)
              .listener(witness)
              .maxWatches(6)
              .maxWatchesPerChannel(3)
              .maxQueuedEvents(4)
              .maxReplayEvents(50)
              .messageRate(Limits.Rate.UNLIMITED)
              .sessionRate(Limits.Rate.UNLIMITED)
              .listPause(Duration.ZERO)
              .drainTimeout(Duration.ZERO)
              .build();
  private final Party host = new Party(broker);

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    LeakAssert.assertNone(broker);
    witness.assertAgrees(broker);
    assertThat(timer.scheduled()).isZero();
  }

  private static ManualTransport open(Broker broker, ChannelOptions options, Caller caller) {
    ManualTransport line = new ManualTransport();
    line.channel =
        broker
            .forCaller(caller)
            .gateway()
            .openChannel(options, line::attach)
            .toCompletableFuture()
            .join();
    return line;
  }

  /** A channel of Ada's that may come back, whose first event has been read. */
  private ManualTransport opened() {
    ManualTransport line = open(broker, RESUME, ADA);
    assertThat(line.readAll()).containsExactly("channel");
    return line;
  }

  private ManualTransport comeBack(ManualTransport line, Caller caller) {
    ManualTransport back = open(broker, RESUME.after(line.lastId()), caller);
    assertThat(back.channel.id()).isEqualTo(line.channel.id());
    back.ids.addAll(line.ids);
    return back;
  }

  private static Request.Actor actor(Channel channel) {
    return Request.Actor.of(channel.id()).withKey(channel.key());
  }

  private Answer answer(Request request) {
    return broker.forCaller(ADA).gateway().perform(request).toCompletableFuture().join();
  }

  private Answer ask(ManualTransport line, String name, String filter) {
    return answer(new Request.Watch(actor(line.channel), name, TagFilter.parse(filter)));
  }

  private void watch(ManualTransport line, String name, String filter) {
    assertThat(ask(line, name, filter)).isEqualTo(Answer.Done.DONE);
  }

  private void unwatch(ManualTransport line, String name) {
    assertThat(answer(new Request.Unwatch(actor(line.channel), name))).isEqualTo(Answer.Done.DONE);
  }

  private void assertRefused(ManualTransport line, String name, String filter, Code code) {
    assertThat(ask(line, name, filter))
        .isInstanceOfSatisfying(
            Answer.Refused.class, refused -> assertThat(refused.refusal().code()).isEqualTo(code));
  }

  private static RefusedException full() {
    return new RefusedException(Refusals.listTooLong(1, 1));
  }

  private int permits() {
    return broker.streams.watches.taken();
  }

  @Test
  @Tag("W1")
  @DisplayName("A channel's stream carries lists, each event with its list's name and without id.")
  void listsComeOnTheStream() {
    host.host("a");
    ManualTransport line = opened();
    watch(line, "x", "a");
    watch(line, "y", "!a");
    assertThat(line.readAll()).containsExactlyInAnyOrder("x: add [a]", "x: ready 1", "y: ready 0");
    Session both = host.host("b");
    assertThat(line.readAll()).containsExactly("y: add [b]");
    both.update(SessionUpdate.nothing().withTags("a"));
    assertThat(line.readAll()).containsExactlyInAnyOrder("y: remove", "x: add [a]");
    both.close();
    assertThat(line.readAll()).containsExactly("x: remove");
    assertThat(line.ids).hasSize(1);
    assertThat(asked).containsExactly("ada a", "ada !a");
  }

  @Test
  @Tag("W3")
  @DisplayName("A repeated request changes nothing; another filter needs another name.")
  void aNameHasOneFilter() {
    ManualTransport line = opened();
    watch(line, "x", "a,b");
    assertThat(line.readAll()).containsExactly("x: ready 0");
    watch(line, "x", "b, a");
    assertRefused(line, "x", "a", Code.INVALID_REQUEST);
    assertThat(line.readAll()).isEmpty();
    assertThat(asked).hasSize(1);
    host.host("a", "b");
    assertThat(line.readAll()).containsExactly("x: add [a, b]");
    assertThat(permits()).isEqualTo(1);
  }

  @Test
  @Tag("W4")
  @Tag("W5")
  @DisplayName("The end of a list comes before the next list of this name.")
  void aListEnds() {
    ManualTransport line = opened();
    unwatch(line, "x");
    watch(line, "x", "a");
    assertThat(line.readAll()).containsExactly("x: ready 0");
    host.host("a");
    unwatch(line, "x");
    assertThat(permits()).isZero();
    unwatch(line, "x");
    watch(line, "x", "!a");
    host.host("b");
    assertThat(line.readAll()).containsExactly("x: closed", "x: add [b]", "x: ready 1");
  }

  @Test
  @Tag("W2")
  @DisplayName("A client that comes back gets its lists anew, and its messages once.")
  void listsComeBack() {
    host.host("a");
    ManualTransport line = opened();
    watch(line, "x", "a");
    Party.assertSent(host.send(line.channel.id(), "1"));
    assertThat(line.readAll()).containsExactlyInAnyOrder("1", "x: add [a]", "x: ready 1");
    line.cut();
    assertThat(permits()).isEqualTo(1);
    // Meanwhile there is no watch, in the figures either.
    witness.assertAgrees(broker);
    assertThat(broker.stats().watches()).isZero();
    assertThat(host.send(line.channel.id(), "2")).isInstanceOf(Delivery.Queued.class);
    host.host("a", "b");
    watch(line, "y", "b");
    ManualTransport back = comeBack(line, BOB);
    assertThat(back.readAll())
        .containsExactlyInAnyOrder(
            "2", "x: add [a]", "x: add [a, b]", "x: ready 2", "y: add [a, b]", "y: ready 1");
    assertThat(back.ids).hasSize(3);
    assertThat(asked).containsExactly("ada a", "ada b", "bob a", "bob b");
    host.host("b");
    assertThat(back.readAll()).containsExactly("y: add [b]");
  }

  @Test
  @Tag("W2")
  @DisplayName("A stream that replaces another takes its lists over.")
  void aSupersededStreamHasNoLists() {
    ManualTransport line = opened();
    watch(line, "x", "");
    assertThat(line.readAll()).containsExactly("x: ready 0");
    ManualTransport back = comeBack(line, ADA);
    host.host("a");
    assertThat(line.readAll()).isEmpty();
    assertThat(back.readAll()).containsExactly("x: ready 0", "x: add [a]");
    line.cut();
    host.host("b");
    assertThat(back.readAll()).containsExactly("x: add [b]");
    assertThat(permits()).isEqualTo(1);
  }

  @Test
  @Tag("W5")
  @DisplayName("A list that does not keep up ends; channel and other lists live on.")
  void overflowEndsTheList() {
    ManualTransport line = opened();
    watch(line, "x", "a");
    watch(line, "y", "b");
    assertThat(line.readAll()).containsExactlyInAnyOrder("x: ready 0", "y: ready 0");
    for (int i = 0; i < 20; i++) {
      host.host("a");
    }
    host.host("b");
    assertThat(line.readAll()).containsExactlyInAnyOrder("x: overflow", "y: add [b]");
    assertThat(line.channel.isOpen()).isTrue();
    assertThat(permits()).isEqualTo(1);
    watch(line, "x", "a,c");
    assertThat(line.readAll()).containsExactly("x: ready 0");
  }

  @Test
  @Tag("W5")
  @Tag("W7")
  @DisplayName("A recheck ends a list whose scope has changed; the policy decides on the next.")
  void rightsChange() {
    host.host("a");
    ManualTransport line = opened();
    watch(line, "x", "");
    line.readAll();
    scope = caller -> Scope.tagged("b");
    broker.recheck();
    assertThat(line.readAll()).containsExactly("x: scope_changed");
    watch(line, "x", "");
    assertThat(line.readAll()).containsExactly("x: ready 0");
    unwatch(line, "x");
    scope =
        caller -> {
          throw AccessPolicy.denied("No.");
        };
    assertRefused(line, "x", "", Code.DENIED);
    assertThat(permits()).isZero();
  }

  @Test
  @Tag("W7")
  @DisplayName("The caller that comes back sees what it may see, or the list ends.")
  void theCallerThatComesBackIsAsked() {
    host.host("a");
    host.host("a", "b");
    ManualTransport line = opened();
    watch(line, "x", "a");
    watch(line, "y", "b");
    line.readAll();
    scope = caller -> Scope.all().where(session -> session.tags().contains("b"));
    ManualTransport back = comeBack(line, BOB);
    assertThat(back.readAll())
        .containsExactlyInAnyOrder("x: add [a, b]", "x: ready 1", "y: add [a, b]", "y: ready 1");
    scope =
        caller -> {
          throw AccessPolicy.denied("No.");
        };
    back.cut();
    ManualTransport third = comeBack(back, BOB);
    assertThat(third.readAll()).containsExactly("x: scope_changed", "y: scope_changed");
    assertThat(permits()).isZero();
    assertThat(third.channel.isOpen()).isTrue();
  }

  @Test
  @Tag("W5")
  @DisplayName("A client that comes back learns again which lists have ended, unless it watches.")
  void endsAreRepeated() {
    ManualTransport line = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(line, name, "a");
      unwatch(line, name);
    }
    assertThat(line.readAll()).containsExactly("x: closed", "y: closed", "z: closed");
    watch(line, "y", "a");
    line.readAll();
    watch(line, "w", "a");
    unwatch(line, "w");
    // It breaks before it has read the last end.
    line.cut();
    unwatch(line, "y");
    ManualTransport back = comeBack(line, ADA);
    watch(back, "w", "a");
    // The end of the earlier list must not pass for that of the new one.
    assertThat(back.readAll()).containsExactly("z: closed", "y: closed", "w: ready 0");
  }

  @Test
  @Tag("W5")
  @DisplayName("An end that a client has asked for makes room for one that it has not.")
  void neededEndsAreRepeated() {
    ManualTransport line = opened();
    watch(line, "x", "a");
    line.readAll();
    for (int i = 0; i < 20; i++) {
      host.host("a");
    }
    assertThat(line.readAll()).containsExactly("x: overflow");
    for (int i = 0; i < 5; i++) {
      watch(line, "y" + i, "b");
      unwatch(line, "y" + i);
    }
    line.readAll();
    ManualTransport back = comeBack(line, ADA);
    assertThat(back.readAll()).containsExactly("x: overflow", "y3: closed", "y4: closed");
    // Now it has asked for this end, too.
    unwatch(back, "x");
    ManualTransport again = comeBack(back, ADA);
    unwatch(again, "y3");
    assertThat(again.readAll()).containsExactly("y4: closed");
  }

  @Test
  @Tag("W8")
  @DisplayName("Messages and lists alternate, and so do the lists.")
  void messagesAndListsTakeTurns() {
    ManualTransport line = opened();
    watch(line, "x", "");
    watch(line, "y", "");
    line.readAll();
    for (int i = 0; i < 4; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
    }
    Session one = host.host("a");
    Session two = host.host("a");
    assertThat(List.of(one.id(), two.id())).doesNotHaveDuplicates();
    List<String> kinds =
        line.readAll().stream()
            .map(text -> text.contains(":") ? text.substring(0, 1) : "m")
            .toList();
    assertThat(String.join("", kinds.subList(0, 8)))
        .isIn("mxmymxmy", "mymxmymx", "xmymxmym", "ymxmymxm");
  }

  /** Hosts sessions that nobody may see; returns how often the policy was asked about one. */
  private AtomicInteger hidden(int sessions) {
    AtomicInteger examined = new AtomicInteger();
    scope =
        caller ->
            Scope.all()
                .where(
                    session -> {
                      examined.incrementAndGet();
                      return false;
                    });
    for (int i = 0; i < sessions; i++) {
      host.host("a");
    }
    return examined;
  }

  /** A stream with three lists and four messages that wait. */
  private ManualTransport waiting() {
    ManualTransport line = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(line, name, "a");
    }
    for (int i = 0; i < 4; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
    }
    return line;
  }

  @Test
  @Tag("W8")
  @DisplayName("A message waits for one list only, though lists find nothing for their reader.")
  void silentListsTakeTurns() {
    AtomicInteger examined = hidden(5_000);
    ManualTransport line = waiting();
    List<String> read = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int before = examined.get();
      // To the first null: a transport writes no message before that.
      read.addAll(line.readAll());
      assertThat(examined.get() - before).isLessThanOrEqualTo(1_000);
    }
    assertThat(read).containsExactly("0", "1", "2", "3");
    read.clear();
    Awaitility.await()
        .untilAsserted(
            () -> {
              read.addAll(line.readAll());
              assertThat(read).containsExactlyInAnyOrder("x: ready 0", "y: ready 0", "z: ready 0");
            });
    assertThat(examined).hasValue(15_000);
  }

  @Test
  @Tag("W8")
  @DisplayName("A message does not wait for all lists, though each of them soon finds an event.")
  void shortSearchesCountTogether() {
    AtomicInteger examined = hidden(600);
    ManualTransport line = waiting();
    List<String> read = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int before = examined.get();
      read.addAll(line.readAll());
      assertThat(examined.get() - before).isLessThanOrEqualTo(1_200);
    }
    assertThat(read)
        .containsExactlyInAnyOrder("0", "1", "2", "3", "x: ready 0", "y: ready 0", "z: ready 0");
    assertThat(examined).hasValue(1_800);
  }

  @Test
  @Tag("W8")
  @DisplayName("A stream that ends gives all its messages first, however long lists were searched.")
  void allIsReadBeforeTheEnd() {
    AtomicInteger examined = hidden(1_500);
    ManualTransport line = waiting();
    assertThat(line.poll()).isEqualTo("0");
    assertThat(line.poll()).isEqualTo("1");
    assertThat(examined).hasPositiveValue();
    line.channel.close();
    assertThat(line.readAll()).containsExactly("2", "3");
  }

  @Test
  @Tag("W8")
  @DisplayName("A transport that polls only when it is woken reads all, though polls pause.")
  void aPausedStreamIsWoken() {
    AtomicInteger examined = hidden(600);
    AtomicBoolean isReading = new AtomicBoolean();
    List<Event> read = new CopyOnWriteArrayList<>();
    Transport.Opener opener =
        attachment ->
            new Transport() {
              @Override
              public synchronized void ready() {
                if (!isReading.get()) {
                  return;
                }
                for (Envelope each = attachment.poll(); each != null; each = attachment.poll()) {
                  attachment.consumed(1);
                  read.add(each.event());
                }
              }

              @Override
              public void end(CloseReason reason) {
                attachment.detach(reason);
              }
            };
    Channel channel =
        broker.forCaller(ADA).gateway().openChannel(RESUME, opener).toCompletableFuture().join();
    for (String name : List.of("x", "y", "z")) {
      assertThat(answer(new Request.Watch(actor(channel), name, TagFilter.all())))
          .isEqualTo(Answer.Done.DONE);
    }
    for (int i = 0; i < 2; i++) {
      Party.assertSent(host.send(channel.id(), "" + i));
    }
    isReading.set(true);
    // The last wake that comes from outside.
    Party.assertSent(host.send(channel.id(), "2"));
    // The channel's own event, the messages, and that each list is ready.
    Awaitility.await().untilAsserted(() -> assertThat(read).hasSize(1 + 3 + 3));
    assertThat(examined).hasValue(1_800);
  }

  @Test
  @Tag("W2")
  @Tag("W7")
  @DisplayName("About a caller whose stream has been replaced, the policy is not asked any more.")
  void aSupersededStreamAsksNoMore() {
    ManualTransport line = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(line, name, name);
    }
    line.readAll();
    List<ManualTransport> newest = new ArrayList<>();
    scope =
        caller -> {
          if (caller == BOB) {
            newest.add(comeBack(line, CAROL));
          }
          return Scope.all();
        };
    comeBack(line, BOB);
    assertThat(asked)
        .containsExactly("ada x", "ada y", "ada z", "bob x", "carol x", "carol y", "carol z");
    assertThat(newest.get(0).readAll()).hasSize(3);
    assertThat(permits()).isEqualTo(3);
  }

  @Test
  @Tag("W4")
  @Tag("N1")
  @DisplayName("A late copy of a numbered request ends no list that was asked for after it.")
  void numberedRequestsHappenOnce() {
    ManualTransport line = opened();
    Request.Actor actor = actor(line.channel);
    Request.Watch again = new Request.Watch(actor.withSeq(6), "x", TagFilter.parse("b"));
    Request.Unwatch late = new Request.Unwatch(actor.withSeq(5), "x");
    watch(line, "x", "a");
    assertThat(answer(late)).isEqualTo(Answer.Done.DONE);
    assertThat(answer(again)).isEqualTo(Answer.Done.DONE);
    assertThat(answer(late)).isInstanceOf(Answer.Refused.class);
    assertThat(answer(again)).isEqualTo(Answer.Done.DONE);
    assertThat(line.readAll()).containsExactly("x: closed", "x: ready 0");
    assertThat(permits()).isEqualTo(1);
  }

  @Test
  @Tag("W3")
  @Tag("W5")
  @DisplayName("A list that a repeated request was told of does not vanish without an end.")
  void aRepeatedRequestIsNotDeceived() {
    ManualTransport line = opened();
    ChannelWatches lists = broker.directory.channel(line.channel.id()).connection().watches();
    RefusedException full = full();
    ChannelWatches.Viewer failing =
        asked ->
            opener -> {
              lists.watch("x", TAGGED, notAsked -> opened -> {});
              throw full;
            };
    assertThatThrownBy(() -> lists.watch("x", TAGGED, failing)).isSameAs(full);
    assertThat(line.readAll()).containsExactly("x: overflow");
    ChannelWatches.Viewer failingAlone =
        asked ->
            opener -> {
              throw full;
            };
    assertThatThrownBy(() -> lists.watch("x", TAGGED, failingAlone)).isSameAs(full);
    assertThat(line.readAll()).isEmpty();
    assertThat(permits()).isZero();
  }

  /** The broker's part of a channel of Ada's, whose first event has been read. */
  private final class Inside {
    final ManualTransport line = new ManualTransport();
    final AtomicReference<ChannelConnection.Stream> stream = new AtomicReference<>();
    final ChannelConnection connection;

    Inside() {
      line.channel =
          broker
              .forCaller(ADA)
              .gateway()
              .openChannel(
                  RESUME,
                  given -> {
                    stream.set((ChannelConnection.Stream) given);
                    return line.attach(given);
                  })
              .toCompletableFuture()
              .join();
      connection = broker.directory.channel(line.channel.id()).connection();
      assertThat(line.readAll()).containsExactly("channel");
    }

    /** Asks for a list; returns what begins it, as a thread would that is slow. */
    Runnable slowWatch(String name) {
      AtomicReference<Transport.Opener> opener = new AtomicReference<>();
      connection.watches().watch(name, TAGGED, notAsked -> opener::set);
      return () -> new LocalGateway(broker, ADA).admit(line.channel, TAGGED).begin(opener.get());
    }

    /** Begins the lists again that no thread has begun. */
    void watchAgain(ChannelWatches.Viewer viewer) {
      connection.watchAgain(stream.get(), viewer);
    }
  }

  @Test
  @Tag("W7")
  @DisplayName("A list that finds no room when its client comes back ends with overflow.")
  void noRoomIsOverflow() {
    Inside inside = new Inside();
    Runnable unused = inside.slowWatch("x");
    inside.watchAgain(
        notAsked ->
            opener -> {
              throw full();
            });
    assertThat(inside.line.readAll()).containsExactly("x: overflow");
    // What the policy refuses ends with another reason, whatever it says.
    ManualTransport line = opened();
    watch(line, "x", "a");
    scope =
        caller -> {
          throw full();
        };
    assertThat(comeBack(line, ADA).readAll()).containsExactly("x: scope_changed");
    assertThat(permits()).isZero();
  }

  @Test
  @Tag("W5")
  @DisplayName(
      "A list that another thread has begun lives on though there is no room for a second.")
  void theFirstToBeginWins() {
    Inside inside = new Inside();
    Runnable slow = inside.slowWatch("x");
    inside.watchAgain(
        notAsked ->
            opener -> {
              slow.run();
              throw full();
            });
    assertThat(inside.line.readAll()).containsExactly("x: ready 0");
    assertThat(permits()).isEqualTo(1);
    // What the policy refuses ends in any case.
    Runnable denied = inside.slowWatch("y");
    inside.watchAgain(
        notAsked -> {
          denied.run();
          throw AccessPolicy.denied("No.");
        });
    assertThat(inside.line.readAll()).containsExactly("y: scope_changed");
    assertThat(permits()).isEqualTo(1);
  }

  @Test
  @Tag("W5")
  @DisplayName("A list that a newer stream has begun does not vanish without an end.")
  void anOvertakenRequestIsNotDeceived() {
    ManualTransport line = opened();
    ChannelWatches lists = broker.directory.channel(line.channel.id()).connection().watches();
    List<ManualTransport> newest = new ArrayList<>();
    RefusedException full = full();
    ChannelWatches.Viewer overtaken =
        notAsked ->
            opener -> {
              newest.add(comeBack(line, ADA));
              throw full;
            };
    assertThatThrownBy(() -> lists.watch("x", TAGGED, overtaken)).isSameAs(full);
    assertThat(newest.get(0).readAll()).containsExactly("x: overflow");
    assertThat(permits()).isZero();
  }

  @Test
  @DisplayName("Listeners learn which channel was refused a list.")
  void refusalsNameTheChannel() {
    List<String> refused = new ArrayList<>();
    Broker other =
        Broker.builder()
            .accessPolicy(policy)
            .drainTimeout(Duration.ZERO)
            .listener(
                new BrokerListener() {
                  @Override
                  public void callRefused(Channel channel, Refusal refusal) {
                    refused.add((channel == null ? null : channel.id()) + " " + refusal.code());
                  }
                })
            .build();
    ManualTransport line = open(other, RESUME, ADA);
    scope =
        caller -> {
          throw AccessPolicy.denied("No.");
        };
    Request request = new Request.Watch(actor(line.channel), "x", TagFilter.all());
    assertThat(other.forCaller(ADA).gateway().perform(request).toCompletableFuture().join())
        .isInstanceOf(Answer.Refused.class);
    other.close();
    assertThat(refused).containsExactly(line.channel.id() + " DENIED");
  }

  @Test
  @Tag("X7")
  @DisplayName("What a stream has taken of its lists makes no room in its queue of messages.")
  void onlyMessagesCountInTheQueue() {
    ManualTransport line = opened();
    // Polled before there is a list, and taken after.
    Party.assertSent(host.send(line.channel.id(), "0"));
    assertThat(line.poll()).isEqualTo("0");
    host.host("a");
    watch(line, "x", "");
    for (int i = 1; i <= 3; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
    }
    Party.assertRefused(host.send(line.channel.id(), "4"), Code.TARGET_BUSY);
    List<String> polled = new ArrayList<>();
    for (String text = line.poll(); text != null; text = line.poll()) {
      polled.add(text);
    }
    assertThat(polled).containsExactly("1", "x: add [a]", "2", "x: ready 1", "3");
    line.consumed(1);
    Party.assertSent(host.send(line.channel.id(), "4"));
    Party.assertRefused(host.send(line.channel.id(), "5"), Code.TARGET_BUSY);
    line.consumed(1);
    Party.assertSent(host.send(line.channel.id(), "5"));
    line.consumed(1);
    Party.assertRefused(host.send(line.channel.id(), "6"), Code.TARGET_BUSY);
    line.consumed(1);
    Party.assertSent(host.send(line.channel.id(), "6"));
    line.consumed(2);
    assertThat(line.readAll()).containsExactly("4", "5", "6");
    assertThat(broker.stats().queuedBytes()).isPositive();
    assertThat(line.channel.confirm(line.lastId())).isTrue();
    assertThat(broker.stats().queuedBytes()).isZero();
  }

  @Test
  @DisplayName("However much is polled before any of it is taken, the count is right.")
  void manyEventsAreUnderWay() {
    ManualTransport line = opened();
    watch(line, "x", "");
    line.readAll();
    int ahead = 3;
    for (int i = 0; i < 3_000; i++) {
      Party.assertSent(host.send(line.channel.id(), "" + i));
      host.host("a").close();
      Session session = host.host("b");
      while (line.poll() != null) {
        ahead++;
        if (ahead > 6) {
          line.consumed(1);
          ahead--;
        }
      }
      session.close();
    }
    assertThat(broker.stats().queuedBytes()).isLessThan(50_000);
  }

  @Test
  @Tag("W6")
  @Tag("X10")
  @Tag("X21")
  @DisplayName("A channel has few lists, and each takes the place of a list stream.")
  void listsAreBounded() {
    ManualTransport line = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(line, name, "a");
    }
    assertRefused(line, "w", "a", Code.TOO_MANY_WATCHES);
    watch(line, "z", "a");
    ManualTransport other = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(other, name, "a");
    }
    ManualTransport third = opened();
    assertRefused(third, "x", "a", Code.AT_CAPACITY);
    unwatch(line, "x");
    watch(third, "x", "a");
    assertThat(line.readAll()).contains("x: closed", "y: ready 0", "z: ready 0");
    assertThat(broker.stats().callsRefused().get(Code.TOO_MANY_WATCHES)).isEqualTo(1);
    assertThat(broker.stats().callsRefused().get(Code.AT_CAPACITY)).isEqualTo(1);
  }

  @Test
  @Tag("W6")
  @Tag("X10")
  @DisplayName("Lists of clients that are away give way, those of the longest-waiting first.")
  void absentListsGiveWay() {
    ManualTransport first = opened();
    ManualTransport second = opened();
    ManualTransport third = opened();
    for (ManualTransport line : List.of(first, second)) {
      for (String name : List.of("x", "y", "z")) {
        watch(line, name, "a");
      }
      line.readAll();
    }
    second.cut();
    first.cut();
    ManualTransport back = comeBack(second, ADA);
    assertThat(back.readAll()).containsExactlyInAnyOrder("x: ready 0", "y: ready 0", "z: ready 0");
    back.cut();
    watch(third, "x", "a");
    assertThat(permits()).isEqualTo(4);
    // Here no list waits, but those of the second channel do.
    ManualTransport returned = comeBack(first, ADA);
    assertThat(returned.readAll()).containsExactly("x: overflow", "y: overflow", "z: overflow");
    for (String name : List.of("x", "y", "z")) {
      watch(returned, name, "a");
    }
    assertThat(returned.readAll()).hasSize(3);
    assertThat(comeBack(back, ADA).readAll())
        .containsExactly("x: overflow", "y: overflow", "z: overflow");
    assertThat(returned.channel.isOpen()).isTrue();
    assertThat(back.channel.isOpen()).isTrue();
  }

  @Test
  @Tag("W6")
  @Tag("X10")
  @DisplayName("Nobody's lists give way to those of a client that is away.")
  void theAbsentTakeNoPlaces() {
    List<ManualTransport> waiting = List.of(opened(), opened());
    for (ManualTransport line : waiting) {
      for (String name : List.of("x", "y", "z")) {
        watch(line, name, "a");
      }
      line.cut();
    }
    ManualTransport absent = opened();
    absent.cut();
    assertRefused(absent, "x", "a", Code.AT_CAPACITY);
    assertThat(permits()).isEqualTo(6);
    ManualTransport back = comeBack(absent, ADA);
    watch(back, "x", "a");
    assertThat(permits()).isEqualTo(4);
    assertThat(comeBack(waiting.get(0), ADA).readAll())
        .containsExactly("x: overflow", "y: overflow", "z: overflow");
  }

  /** Opens list streams of a caller's that take places. */
  private void takePlaces(int count) {
    for (int i = 0; i < count; i++) {
      Watch unused =
          broker.forCaller(BOB).gateway().watch(TagFilter.all(), new ManualTransport()::attach);
    }
  }

  @Test
  @Tag("W6")
  @Tag("X10")
  @DisplayName("A list that is asked for while its client is away has a place that gives way, too.")
  void listsOfTheAbsentGiveWay() {
    ManualTransport line = opened();
    line.cut();
    watch(line, "x", "a");
    takePlaces(5);
    assertThat(permits()).isEqualTo(6);
    takePlaces(1);
    assertThat(permits()).isEqualTo(6);
    assertThat(comeBack(line, ADA).readAll()).containsExactly("x: overflow");
  }

  @Test
  @Tag("W6")
  @Tag("X10")
  @DisplayName("The lists of a client that failed to come back give way again.")
  void theyGiveWayAfterAFailedReturn() {
    ManualTransport line = opened();
    for (String name : List.of("x", "y", "z")) {
      watch(line, name, "a");
    }
    line.cut();
    takePlaces(3);
    Transport.Opener failing =
        attachment -> {
          assertThatThrownBy(() -> takePlaces(1))
              .isInstanceOfSatisfying(
                  RefusedException.class,
                  refused -> assertThat(refused.refusal().code()).isEqualTo(Code.AT_CAPACITY));
          throw new IllegalStateException("on purpose");
        };
    Gateway gateway = broker.forCaller(ADA).gateway();
    assertThatThrownBy(
            () ->
                gateway
                    .openChannel(RESUME.after(line.lastId()), failing)
                    .toCompletableFuture()
                    .join())
        .hasRootCauseMessage("on purpose");
    assertThat(line.channel.isOpen()).isTrue();
    assertThat(permits()).isEqualTo(6);
    takePlaces(1);
    assertThat(permits()).isEqualTo(4);
    assertThat(comeBack(line, ADA).readAll())
        .containsExactly("x: overflow", "y: overflow", "z: overflow");
  }

  @Test
  @Tag("X21")
  @DisplayName("Ends that a stream does not read are bounded.")
  void endsAreBounded() {
    ManualTransport line = opened();
    for (int i = 0; i < 6; i++) {
      watch(line, "x" + i, "a");
      unwatch(line, "x" + i);
    }
    assertRefused(line, "x", "a", Code.TOO_MANY_WATCHES);
    assertThat(line.readAll()).hasSize(6);
    for (int i = 0; i < 5; i++) {
      watch(line, "y" + i, "a");
      unwatch(line, "y" + i);
    }
    // Each list becomes an end.
    watch(line, "x", "a");
    assertRefused(line, "y", "a", Code.TOO_MANY_WATCHES);
    unwatch(line, "x");
    assertThat(line.readAll()).hasSize(6);
  }

  @Test
  @Tag("W5")
  @Tag("X21")
  @DisplayName("Ends that a client is to learn again count as unread.")
  void repeatedEndsAreBounded() {
    ManualTransport line = opened();
    for (int i = 0; i < 3; i++) {
      watch(line, "x" + i, "a");
      unwatch(line, "x" + i);
    }
    line.readAll();
    ManualTransport back = comeBack(line, ADA);
    for (int i = 0; i < 3; i++) {
      watch(back, "y" + i, "a");
      unwatch(back, "y" + i);
    }
    assertRefused(back, "z", "a", Code.TOO_MANY_WATCHES);
    assertThat(back.readAll()).hasSize(6);
    watch(back, "z", "a");
  }

  @Test
  @Tag("W5")
  @Tag("X21")
  @DisplayName("While a client is away, no end waits but those that it learns of when it is back.")
  void endsDoNotWaitForTheAbsent() {
    ManualTransport line = opened();
    line.cut();
    for (int i = 0; i < 20; i++) {
      watch(line, "x" + i, "a");
      unwatch(line, "x" + i);
    }
    assertThat(comeBack(line, ADA).readAll())
        .containsExactly("x17: closed", "x18: closed", "x19: closed");
  }

  @Test
  @DisplayName("A list's place is free again, however the list or its channel ends.")
  void permitsComeBack() {
    List<Consumer<ManualTransport>> endings =
        List.of(
            line -> unwatch(line, "x"),
            line -> line.channel.close(),
            line -> line.channel.revoke(),
            line -> {
              line.cut();
              timer.advance(Duration.ofMinutes(1));
            },
            line -> {
              line.cut();
              line.channel.close();
            },
            line -> {
              comeBack(line, ADA).channel.close();
            });
    for (var ending : endings) {
      ManualTransport line = opened();
      watch(line, "x", "a");
      line.readAll();
      assertThat(permits()).isEqualTo(1);
      ending.accept(line);
      assertThat(permits()).isZero();
      assertThat(broker.stats().watches()).isZero();
    }
    ManualTransport brief = open(broker, ChannelOptions.none(), ADA);
    watch(brief, "x", "a");
    brief.cut();
    assertThat(permits()).isZero();
    assertThat(ask(brief, "x", "a")).isInstanceOf(Answer.Refused.class);
    ManualTransport last = opened();
    watch(last, "x", "a");
    last.readAll();
    broker.close();
    assertThat(permits()).isZero();
    assertThat(last.readAll()).isEmpty();
    assertThat(last.told).containsExactly("shutting_down");
  }

  @Test
  @Tag("W5")
  @DisplayName("When the channel ends, its lists end without a word.")
  void listsEndWithTheirChannel() {
    ManualTransport line = opened();
    watch(line, "x", "a");
    line.readAll();
    host.host("a");
    line.channel.close();
    assertThat(line.readAll()).isEmpty();
    assertThat(line.told).containsExactly("closed");
  }

  @Test
  @DisplayName("A channel whose reader is in this JVM watches with Broker.watch.")
  void partiesHaveNoLists() {
    assertThat(answer(new Request.Watch(actor(host.channel), "x", TagFilter.all())))
        .isInstanceOfSatisfying(
            Answer.Refused.class,
            refused -> {
              assertThat(refused.refusal().code()).isEqualTo(Code.INVALID_REQUEST);
              assertThat(refused.refusal().detail()).contains("Broker.watch");
            });
    assertThat(answer(new Request.Unwatch(actor(host.channel), "x"))).isEqualTo(Answer.Done.DONE);
  }

  @Test
  @Tag("W1")
  @DisplayName("A name has 1 to 64 characters.")
  void namesAreBounded() {
    ManualTransport line = opened();
    watch(line, "😀".repeat(64), "a");
    Request.Actor actor = actor(line.channel);
    for (String wrong : List.of("", "x".repeat(65))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Request.Watch(actor, wrong, TagFilter.all()));
      assertThatIllegalArgumentException().isThrownBy(() -> new Request.Unwatch(actor, wrong));
    }
  }
}
