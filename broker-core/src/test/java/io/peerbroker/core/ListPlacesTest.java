package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How many lists there may be on channels' streams, and which of them give way. */
final class ListPlacesTest extends ListsFixture {

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
}
