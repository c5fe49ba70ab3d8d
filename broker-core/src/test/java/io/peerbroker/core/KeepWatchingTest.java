package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Watches that come back by themselves. */
final class KeepWatchingTest {

  /** No list is narrowed by it, but watches of callers end when it says so. */
  private static final class Rights implements AccessPolicy {
    Scope scope = Scope.all();
    boolean denies;

    @Override
    public Scope scope(Caller caller, TagFilter filter) {
      if (denies) {
        throw AccessPolicy.denied("Not you.");
      }
      return scope;
    }
  }

  private static final class Recorder implements Watcher {
    final List<String> events = new ArrayList<>();

    @Override
    public void added(ListedSession session) {
      events.add("add " + session.tags());
    }

    @Override
    public void removed(String sid) {
      events.add("remove");
    }

    @Override
    public void ready(int count) {
      events.add("ready " + count);
    }

    @Override
    public void restarted() {
      events.add("restarted");
    }

    @Override
    public void closed(CloseReason reason) {
      events.add("closed " + reason.code());
    }

    List<String> take() {
      List<String> taken = List.copyOf(events);
      events.clear();
      return taken;
    }
  }

  private final ManualTimer timer = new ManualTimer();
  private final Rights rights = new Rights();
  private final Broker broker =
      Broker.builder()
          .timer(timer)
          .drainTimeout(Duration.ZERO)
          .listPause(Duration.ZERO)
          .maxWatches(1)
          .maxQueuedEvents(2)
          .accessPolicy(rights)
          .build();
  private final Broker view = broker.forCaller(Caller.of(null));
  private final Recorder recorder = new Recorder();
  private final ManualExecutor hands = new ManualExecutor();

  @AfterEach
  void nothingIsLeft() {
    broker.close();
    assertThat(((LocalBroker) broker).returning).isEmpty();
    assertThat(timer.scheduled()).isZero();
    LeakAssert.assertNone(broker);
  }

  private Watch keepWatching() {
    return view.keepWatching(TagFilter.all(), recorder, Runnable::run);
  }

  private void changeRights() {
    rights.scope = Scope.tagged("b");
    broker.recheck();
  }

  @Test
  @DisplayName("After changed rights the list starts anew, under the new ones.")
  void rightsChanged() {
    Party party = new Party(broker);
    party.host("a");
    Watch watch = keepWatching();
    assertThat(recorder.take()).containsExactly("add [a]", "ready 1");
    changeRights();
    party.host("b");
    assertThat(recorder.take()).isEmpty();
    timer.advance(ReturningWatch.FIRST);
    assertThat(recorder.take()).containsExactly("restarted", "add [b]", "ready 1");
    watch.close();
    watch.close();
    assertThat(recorder.take()).containsExactly("closed closed");
    timer.advance(ReturningWatch.LONGEST);
    assertThat(recorder.take()).isEmpty();
  }

  @Test
  @DisplayName("A watcher that did not keep up gets the list anew.")
  void overflow() {
    Watch watch = broker.keepWatching(TagFilter.all(), recorder, hands);
    hands.runAll();
    assertThat(recorder.take()).containsExactly("ready 0");
    Party party = new Party(broker);
    for (int i = 0; i < 10; i++) {
      party.host("a" + i);
    }
    hands.runAll();
    recorder.take();
    timer.advance(ReturningWatch.FIRST);
    hands.runAll();
    List<String> again = recorder.take();
    assertThat(again).hasSize(12).startsWith("restarted", "add [a0]").endsWith("ready 10");
    watch.close();
    hands.runAll();
    assertThat(recorder.take()).containsExactly("closed closed");
  }

  @Test
  @DisplayName("Pauses grow to 30 s, and begin anew once a watch has lasted.")
  void backOff() {
    Watch watch = keepWatching();
    for (Duration most = ReturningWatch.FIRST;
        most.compareTo(ReturningWatch.LONGEST) < 0;
        most = most.multipliedBy(2)) {
      pausesFor(most);
    }
    pausesFor(ReturningWatch.LONGEST);
    pausesFor(ReturningWatch.LONGEST);
    timer.advance(ReturningWatch.LONGEST);
    pausesFor(ReturningWatch.FIRST);
    watch.close();
  }

  /** Has the watch end, and come back within half of a time and all of it. */
  private void pausesFor(Duration most) {
    recorder.take();
    rights.scope = rights.scope.equals(Scope.all()) ? Scope.tagged("b") : Scope.all();
    broker.recheck();
    timer.advance(most.dividedBy(2).minusNanos(1));
    assertThat(recorder.take()).as("too early for %s", most).isEmpty();
    timer.advance(most.dividedBy(2).plusNanos(1));
    assertThat(recorder.take()).as("within %s", most).containsExactly("restarted", "ready 0");
  }

  @Test
  @DisplayName("While the broker is full it is tried again.")
  void full() {
    Watch watch = keepWatching();
    changeRights();
    Recorder other = new Recorder();
    Watch taken = view.watch(TagFilter.all(), other, Runnable::run);
    timer.advance(Duration.ofSeconds(20));
    assertThat(recorder.take()).containsExactly("ready 0");
    taken.close();
    timer.advance(ReturningWatch.LONGEST);
    assertThat(recorder.take()).containsExactly("restarted", "ready 0");
    watch.close();
  }

  @Test
  @DisplayName("A caller that is refused the new list learns the end.")
  void denied() {
    keepWatching();
    rights.denies = true;
    broker.recheck();
    timer.advance(ReturningWatch.FIRST);
    assertThat(recorder.take()).containsExactly("ready 0", "closed scope_changed");
  }

  @Test
  @DisplayName("Closed in a pause, it ends at once.")
  void closedInPause() {
    Watch watch = keepWatching();
    changeRights();
    watch.close();
    assertThat(recorder.take()).containsExactly("ready 0", "closed closed");
    timer.advance(ReturningWatch.LONGEST);
    assertThat(recorder.take()).isEmpty();
  }

  @Test
  @DisplayName("A shutdown ends it, while it is open and in a pause.")
  void shutdown() {
    keepWatching();
    Recorder pausing = new Recorder();
    changeRights();
    Watch own = broker.keepWatching(TagFilter.all(), pausing, Runnable::run);
    broker.close();
    assertThat(recorder.take()).containsExactly("ready 0", "closed shutting_down");
    assertThat(pausing.take()).containsExactly("ready 0", "closed shutting_down");
    own.close();
    assertThat(pausing.take()).isEmpty();
  }

  @Test
  @DisplayName("The first list can be refused.")
  void refused() {
    rights.denies = true;
    assertRefused(this::keepWatching, Code.DENIED);
    assertThat(recorder.take()).isEmpty();
    assertThat(keepOwn().filter()).isEqualTo(TagFilter.all());
  }

  private Watch keepOwn() {
    return broker.keepWatching(TagFilter.all(), recorder, Runnable::run);
  }
}
