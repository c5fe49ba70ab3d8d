package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Refusal.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Lists on a channel's own stream. */
final class ChannelWatchesTest extends ListsFixture {

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
