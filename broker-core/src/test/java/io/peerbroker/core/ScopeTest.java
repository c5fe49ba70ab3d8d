package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Refusal.Code;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which part of the list a caller may see, and what happens to a watch when that changes. */
final class ScopeTest {

  private static final Caller ADA =
      new Caller() {
        @Override
        public Principal principal() {
          return () -> "ada";
        }
      };

  @RegisterExtension final BrokerLog log = new BrokerLog();

  private final List<TagFilter> asked = new ArrayList<>();
  private Supplier<Scope> answer = Scope::all;
  private final LocalBroker broker =
      (LocalBroker)
          Broker.builder()
              .accessPolicy(
                  new AccessPolicy() {
                    @Override
                    public Scope scope(Caller caller, TagFilter filter) {
                      asked.add(filter);
                      return answer.get();
                    }
                  })
              .listPause(Duration.ZERO)
              .build();
  private final Broker ada = broker.forCaller(ADA);
  private final Party party = new Party(broker);
  private final Set<String> hidden = new HashSet<>();
  private final Replay replay = new Replay();

  @AfterEach
  void nothingIsLeft() {
    replay.assertNothingWrong();
    broker.close();
    LeakAssert.assertNone(broker);
  }

  private Scope sighted() {
    Set<String> now = Set.copyOf(hidden);
    return Scope.all().where(session -> session.tags().stream().noneMatch(now::contains));
  }

  private List<List<String>> listed(String filter) {
    return ada.list(TagFilter.parse(filter)).sessions().stream().map(ListedSession::tags).toList();
  }

  private Watch watch(String filter) {
    return ada.watch(TagFilter.parse(filter), replay, Runnable::run);
  }

  @Test
  void aFilterNarrowsWhatIsAskedFor() {
    party.host("a", "ours");
    party.host("a", "theirs");
    party.host("b", "ours");
    answer = () -> Scope.tagged("ours");
    assertThat(listed("")).containsExactly(List.of("a", "ours"), List.of("b", "ours"));
    assertThat(listed("a")).containsExactly(List.of("a", "ours"));
    assertThat(listed("theirs")).isEmpty();
    assertThat(listed("!ours")).isEmpty();
    assertThat(watch("a").filter()).isEqualTo(TagFilter.parse("ours,a"));
    party.host("a", "x");
    party.host("a", "ours", "y");
    assertThat(replay.told()).containsExactly("add [a, ours]", "ready 1", "add [a, ours, y]");
    assertThat(asked).hasSize(5).endsWith(TagFilter.parse("a"));
  }

  @Test
  void aPredicateHidesWhatPassesTheFilters() {
    hidden.add("x");
    answer = this::sighted;
    party.host("a", "x");
    party.host("a");
    assertThat(listed("a")).containsExactly(List.of("a"));
    watch("a");
    party.host("x", "a");
    assertThat(replay.told()).containsExactly("add [a]", "ready 1");
    assertThat(asked).hasSize(2);
  }

  @Test
  @DisplayName("A predicate that fails hides the session, and is logged once for each page.")
  void aFailingPredicateHidesAndIsLoggedOnce() {
    IllegalStateException failure = new IllegalStateException("no");
    answer =
        () ->
            Scope.all()
                .where(
                    session -> {
                      throw failure;
                    });
    party.host("a");
    party.host("b");
    assertThat(listed("")).isEmpty();
    log.assertSize(1);
    assertThat(listed("")).isEmpty();
    log.assertSize(2);
    log.assertHas(failure);
  }

  @Test
  void whoMaySeeNothingIsRefused() {
    answer =
        () -> {
          throw AccessPolicy.denied("Log in first.");
        };
    assertRefused(() -> listed(""), Code.DENIED).isEqualTo("Log in first.");
    assertRefused(() -> watch(""), Code.DENIED);
    assertThat(replay.told()).isEmpty();
  }

  @Test
  void aScopeThatIsTheSameChangesNothing() {
    answer = () -> Scope.tagged("ours");
    party.host("ours");
    watch("!x");
    broker.recheck();
    ada.recheck();
    assertThat(replay.told()).containsExactly("add [ours]", "ready 1");
    assertThat(asked).hasSize(3).containsOnly(TagFilter.parse("!x"));
  }

  @Test
  void changedRightsShowAtTheNextCheck() {
    answer = this::sighted;
    party.host("a");
    Session x = party.host("x");
    watch("");
    hidden.add("x");
    broker.recheck();
    await()
        .untilAsserted(
            () ->
                assertThat(replay.told())
                    .containsExactly("add [a]", "add [x]", "ready 2", "remove [x]"));
    x.update(SessionUpdate.nothing().withMetadata(Json.of(1)));
    hidden.clear();
    hidden.add("a");
    broker.recheck();
    await()
        .untilAsserted(
            () ->
                assertThat(replay.held())
                    .extracting(ListedSession::tags)
                    .containsExactly(List.of("x")));
    assertThat(replay.closed()).isNull();
  }

  @Test
  void anotherFilterEndsTheWatch() {
    party.host("ours");
    watch("");
    answer = () -> Scope.tagged("ours");
    broker.recheck();
    assertThat(replay.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
    party.host("ours", "x");
    assertThat(replay.told()).containsExactly("add [ours]", "ready 1", "closed SCOPE_CHANGED");
    assertThat(CloseReason.SCOPE_CHANGED.isTold()).isTrue();
    assertThat(CloseReason.SCOPE_CHANGED.mayReturn()).isTrue();
    assertThat(CloseReason.SCOPE_CHANGED.code()).isEqualTo("scope_changed");
    broker.recheck();
    assertThat(asked).hasSize(2);
  }

  @Test
  @DisplayName("A filter that the caller had asked for anyway does not change the scope.")
  void anEqualFilterChangesNothing() {
    watch("ours");
    answer = () -> Scope.tagged("ours");
    broker.recheck();
    assertThat(replay.closed()).isNull();
  }

  @Test
  void aPredicateThatComesOrGoesEndsTheWatch() {
    watch("");
    answer = this::sighted;
    broker.recheck();
    assertThat(replay.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
    Replay other = new Replay();
    ada.watch(TagFilter.all(), other, Runnable::run);
    answer = Scope::all;
    broker.recheck();
    assertThat(other.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
  }

  @Test
  void aRefusalEndsTheWatchAndSoDoesAFailure() {
    watch("");
    answer =
        () -> {
          throw AccessPolicy.denied("No longer.");
        };
    broker.recheck();
    assertThat(replay.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
    assertRefused(() -> watch(""), Code.DENIED);
    answer = Scope::all;
    Replay other = new Replay();
    ada.watch(TagFilter.all(), other, Runnable::run);
    answer =
        () -> {
          throw new AssertionError("broken");
        };
    broker.recheck();
    assertThat(other.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
    log.assertSize(1);
  }

  @Test
  void aTrustedWatchIsNotCheckedAgain() {
    Replay trusted = new Replay();
    broker.watch(TagFilter.all(), trusted, Runnable::run);
    answer = () -> Scope.tagged("ours");
    broker.recheck();
    assertThat(trusted.closed()).isNull();
    assertThat(asked).isEmpty();
  }

  @Test
  void whatChangesWhileAWatchIsOpenedIsNotMissed() {
    answer =
        () -> {
          Scope old = Scope.all();
          // The right is revoked after the policy was asked, before the watch is registered.
          answer = () -> Scope.tagged("ours");
          broker.recheck();
          return old;
        };
    watch("");
    assertThat(replay.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
  }

  @Test
  void anOutdatedAnswerIsNotTheLast() throws Exception {
    watch("");
    Thread other = new Thread(broker::recheck);
    answer =
        () -> {
          Scope old = Scope.all();
          answer = () -> Scope.tagged("ours");
          other.start();
          join(other);
          return old;
        };
    broker.recheck();
    assertThat(replay.closed()).isEqualTo(CloseReason.SCOPE_CHANGED);
    assertThat(asked).hasSize(3);
  }

  private static void join(Thread thread) {
    try {
      thread.join(10_000);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  @Test
  void aWatchThatIsClosedIsForgotten() {
    Watch watch = watch("");
    watch.close();
    broker.recheck();
    assertThat(asked).hasSize(1);
    assertRefused(
        () ->
            ada.gateway()
                .watch(
                    TagFilter.all(),
                    attachment -> {
                      attachment.detach(CloseReason.GONE);
                      throw AccessPolicy.denied("the opener's");
                    }),
        Code.DENIED);
    broker.recheck();
    assertThat(asked).hasSize(2);
    ada.gateway()
        .watch(
            TagFilter.all(),
            attachment -> {
              attachment.detach(CloseReason.GONE);
              return new ReceiverTransport(
                  attachment, Runnable::run, null, event -> {}, reason -> {});
            });
    broker.recheck();
    assertThat(asked).hasSize(3);
  }

  @Test
  @DisplayName("A failing policy ends the watch, and is asked again for the next one.")
  void aFailedQuestionEndsTheWatch() {
    AtomicInteger questions = new AtomicInteger();
    AccessPolicy failing =
        new AccessPolicy() {
          @Override
          public Scope scope(Caller caller, TagFilter filter) {
            questions.incrementAndGet();
            throw new AssertionError("planted: not even the policy's guard stands");
          }
        };
    LocalWatch stream =
        broker.watch(
            ParsedFilter.ALL,
            session -> true,
            broker.streams.watches,
            broker.opener(replay, task -> {}));
    AuthorizedWatch watch = new AuthorizedWatch(failing, ADA, ParsedFilter.ALL, sighted(), stream);
    watch.recheck();
    assertThat(stream.isEnding()).isTrue();
    // Events that were queued before are no longer sent.
    assertThat(stream.poll()).isNull();
    LocalWatch other =
        broker.watch(
            ParsedFilter.ALL,
            session -> true,
            broker.streams.watches,
            broker.opener(replay, task -> {}));
    AuthorizedWatch again = new AuthorizedWatch(failing, ADA, ParsedFilter.ALL, sighted(), other);
    again.recheck();
    again.recheck();
    assertThat(questions).hasValueGreaterThanOrEqualTo(2);
    assertThat(again).extracting("rechecks").hasToString("0");
    stream.detach(CloseReason.GONE);
    other.detach(CloseReason.GONE);
  }
}
