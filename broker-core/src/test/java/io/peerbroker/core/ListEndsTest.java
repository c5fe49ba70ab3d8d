package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peerbroker.core.Refusal.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How a client learns that a list on its channel's stream has ended. */
final class ListEndsTest extends ListsFixture {

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
}
