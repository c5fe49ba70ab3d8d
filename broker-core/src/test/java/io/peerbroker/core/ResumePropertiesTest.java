package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * After any events on a channel in any order, its reader has seen everything that was accepted for
 * it, in order, without a gap or a double; or it was given a new channel, and only if that was
 * necessary.
 */
final class ResumePropertiesTest {

  private static final ChannelOptions OPTIONS =
      ChannelOptions.none().withResume(Duration.ofSeconds(30)).withLease(Duration.ofSeconds(40));
  private static final int REPLAY_EVENTS = 12;

  /** A broker, one reader, and the state on which the two must agree. */
  private static final class Run {
    final Random random;
    final boolean roomy;
    final ManualTimer timer = new ManualTimer();
    final Broker broker;
    final Party sender;
    final List<ManualTransport> old = new ArrayList<>();
    ManualTransport line;
    int sent;

    /** The events accepted for the channel: its first one, and every message since. */
    final List<String> accepted = new ArrayList<>(List.of("channel"));

    /** The events that its reader has seen, by the same count, and their ids. */
    final List<String> seen = new ArrayList<>();

    final List<String> ids = new ArrayList<>();

    /** Up to where the reader has confirmed: it never confirms less later. */
    int confirmed;

    /**
     * Up to where the current stream's network has taken events, and how many more it was given.
     */
    int taken;

    int untaken;

    Run(Random random) {
      this.random = random;
      roomy = random.nextBoolean();
      broker =
          Broker.builder()
              .timer(timer)
              .maxQueuedEvents(20)
              .maxReplayEvents(REPLAY_EVENTS)
              .maxTotalQueuedBytes(roomy ? 100_000 : 3_000)
              .messageRate(Limits.Rate.UNLIMITED)
              .drainTimeout(Duration.ZERO)
              .build();
      sender = new Party(broker);
      line = ManualTransport.open(broker, OPTIONS);
    }

    void step() {
      switch (random.nextInt(14)) {
        case 0, 1, 2, 3, 4 -> send();
        case 5, 6 -> read(random.nextInt(6));
        case 7, 8 -> take(random.nextInt(untaken + 1));
        case 9 -> confirm();
        case 10 -> line.cut();
        case 11 -> comeBack();
        case 12 -> timer.advance(Duration.ofSeconds(random.nextInt(20)));
        default -> happenElsewhere();
      }
    }

    private void happenElsewhere() {
      switch (random.nextInt(8)) {
        case 0 -> line.channel.close();
        case 1, 2, 3 -> {
          if (line.channel.isOpen()) {
            Wired.claim(broker, line.channel.id(), line.channel.key());
          }
        }
        case 4 -> {
          if (roomy) {
            ManualTransport.open(broker, OPTIONS.after(line.channel.id() + ".forged.1"))
                .channel
                .close();
          }
        }
        default -> {
          if (!old.isEmpty()) {
            // A stream that is not the newest is given nothing, takes nothing and ends nothing.
            ManualTransport before = old.remove(random.nextInt(old.size()));
            assertThat(before.poll()).isNull();
            before.consumed(1);
            before.cut();
          }
        }
      }
    }

    private void send() {
      String text = Integer.toString(++sent);
      if (!(sender.send(line.channel.id(), text) instanceof Delivery.Refused)) {
        accepted.add(text);
      }
    }

    private void read(int events) {
      for (int i = 0; i < events; i++) {
        String text = line.poll();
        if (text == null) {
          break;
        }
        seen.add(text);
        ids.add(line.lastId());
        untaken++;
      }
      assertThat(seen).isEqualTo(accepted.subList(0, seen.size()));
    }

    private void take(int events) {
      line.consumed(events);
      if (!line.isGone()) {
        taken += events;
        untaken -= events;
      }
    }

    private void confirm() {
      if (confirmed < ids.size()) {
        confirmed += random.nextInt(ids.size() - confirmed) + 1;
        line.channel.confirm(ids.get(confirmed - 1));
      }
    }

    private void comeBack() {
      // The last events that the stream carried may not have reached the reader.
      int lost = random.nextInt(random.nextBoolean() ? 3 : 30);
      int from = Math.max(Math.max(1, confirmed), seen.size() - lost);
      if (seen.isEmpty()) {
        // It has no id to go on after.
        line.channel.close();
        line.cut();
        begin(ManualTransport.open(broker, OPTIONS));
        return;
      }
      ManualTransport before = line;
      boolean wasOpen = before.channel.isOpen();
      boolean gap = taken - from > REPLAY_EVENTS;
      line = reopened(before, OPTIONS.after(ids.get(from - 1)));
      if (line.channel == before.channel) {
        assertThat(wasOpen && !gap).isTrue();
        old.add(before);
        seen.subList(from, seen.size()).clear();
        ids.subList(from, ids.size()).clear();
        confirmed = from;
        taken = from;
      } else {
        // If all queues together are full, kept events may have given way.
        assertThat(wasOpen && !gap && roomy).isFalse();
        assertThat(before.channel.isOpen()).isFalse();
        before.cut();
        begin(line);
      }
      untaken = 0;
    }

    private void begin(ManualTransport anew) {
      line = anew;
      accepted.clear();
      accepted.add("channel");
      seen.clear();
      ids.clear();
      confirmed = 0;
      taken = 0;
      untaken = 0;
    }

    private ManualTransport reopened(ManualTransport before, ChannelOptions options) {
      try {
        return ManualTransport.open(broker, options);
      } catch (RefusedException full) {
        // There is no room for a new channel while the old one still has its queue.
        assertThat(roomy || before.channel.isOpen()).isFalse();
        before.cut();
        return ManualTransport.open(broker, OPTIONS);
      }
    }

    void finish() {
      if (line.channel.isOpen()) {
        comeBack();
        read(Integer.MAX_VALUE);
        assertThat(seen).isEqualTo(accepted);
      }
      broker.close();
      LeakAssert.assertNone(broker);
      assertThat(timer.scheduled()).isZero();
    }
  }

  @Property(tries = 500)
  void nothingIsLostDoubledOrReordered(@ForAll Random random) {
    Run run = new Run(random);
    for (int i = 0; i < 200; i++) {
      run.step();
    }
    run.finish();
  }
}
