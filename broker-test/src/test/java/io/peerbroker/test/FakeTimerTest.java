package io.peerbroker.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.peerbroker.core.Timer.Scheduled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FakeTimerTest {

  private final FakeTimer timer = new FakeTimer();
  private final List<String> ran = new ArrayList<>();

  private Scheduled schedule(String name, int seconds) {
    return timer.schedule(
        Duration.ofSeconds(seconds),
        () -> ran.add(name + " at " + timer.nanoTime() / 1_000_000_000));
  }

  @Test
  void runsTasksWhenTheirTimeHasComeAndInItsOrder() {
    schedule("c", 3);
    schedule("a", 1);
    schedule("b", 2);
    schedule("also a", 1);
    timer.advance(Duration.ofMillis(999));
    assertThat(ran).isEmpty();
    timer.advance(Duration.ofMillis(1));
    assertThat(ran).containsExactly("a at 1", "also a at 1");
    timer.advance(Duration.ofMinutes(1));
    assertThat(ran).endsWith("b at 2", "c at 3").hasSize(4);
    assertThat(timer.nanoTime()).isEqualTo(61_000_000_000L);
  }

  @Test
  void runsWhatIsScheduledMeanwhileIfItFallsDueToo() {
    timer.schedule(Duration.ofSeconds(1), () -> schedule("inner", 1));
    timer.advance(Duration.ofSeconds(2));
    assertThat(ran).containsExactly("inner at 2");
  }

  @Test
  void runsWhatIsDueAtOnceOnlyWhenToldTo() {
    schedule("now", 0);
    assertThat(ran).isEmpty();
    timer.runDue();
    assertThat(ran).containsExactly("now at 0");
  }

  @Test
  void forgetsWhatIsCancelled() {
    Scheduled first = schedule("first", 1);
    schedule("second", 1);
    assertThat(timer.scheduled()).isEqualTo(2);
    first.cancel();
    first.cancel();
    assertThat(timer.scheduled()).isEqualTo(1);
    timer.advance(Duration.ofSeconds(1));
    assertThat(ran).containsExactly("second at 1");
    assertThat(timer.scheduled()).isZero();
  }

  @Test
  void whatATaskThrowsComesOutAndTheNextOneStaysDue() {
    timer.schedule(
        Duration.ofSeconds(1),
        () -> {
          throw new IllegalStateException();
        });
    schedule("next", 1);
    assertThatIllegalStateException().isThrownBy(() -> timer.advance(Duration.ofSeconds(1)));
    timer.runDue();
    assertThat(ran).containsExactly("next at 1");
  }
}
