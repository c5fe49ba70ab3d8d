package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/**
 * However a channel moves between two brokers, or leaves one and comes back, while messages come
 * and are read: its reader has seen everything that was accepted for it, in order, without a gap or
 * a double, and its sessions are those that it has opened and not closed.
 */
final class ChannelMovesPropertiesTest {

  private static final int REPLAY_EVENTS = 12;

  /** Two brokers, one reader, and the state on which all of them must agree. */
  private static final class Run {
    final Random random;
    final TwoBrokers brokers =
        new TwoBrokers(
            settings ->
                settings
                    .maxQueuedEvents(20)
                    .maxReplayEvents(REPLAY_EVENTS)
                    .maxTotalQueuedBytes(100_000)
                    .messageRate(Limits.Rate.UNLIMITED)
                    .sessionRate(Limits.Rate.UNLIMITED));
    final Map<LocalBroker, Party> senders =
        Map.of(brokers.one, new Party(brokers.one), brokers.other, new Party(brokers.other));
    final String cid;

    /** The broker that has the channel. */
    LocalBroker here = brokers.one;

    /** The stream that was attached last; null if the channel has come here without one. */
    @Nullable ManualTransport line;

    int sent;

    /** The events accepted for the channel: its first one, and every message since. */
    final List<String> accepted = new ArrayList<>(List.of("channel"));

    /** The events that its reader has seen, by the same count, and their ids. */
    final List<String> seen = new ArrayList<>();

    final List<String> ids = new ArrayList<>();

    /** Up to where the reader has confirmed. */
    int confirmed;

    /** Up to where the network has taken events, and how many more the stream was given. */
    int taken;

    int untaken;

    /** The sessions' tags by their ids. */
    final Map<String, List<String>> sessions = new LinkedHashMap<>();

    Run(Random random) {
      this.random = random;
      line = ManualTransport.open(here, TwoBrokers.RESUME);
      cid = line.channel.id();
      // The reader has an id to go on after.
      read(1);
    }

    void step() {
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3, 4 -> send();
        case 5, 6 -> read(random.nextInt(6));
        case 7, 8 -> take(random.nextInt(untaken + 1));
        case 9 -> confirm();
        case 10 -> cut();
        case 11 -> comeBack();
        case 12 -> changeSessions();
        case 13 -> advance(Duration.ofMillis(random.nextInt(200)));
        default -> move();
      }
    }

    private LocalChannel channel() {
      LocalChannel channel = here.directory.channel(cid);
      assertThat(channel).isNotNull();
      return channel;
    }

    private void advance(Duration by) {
      brokers.oneTimer.advance(by);
      brokers.otherTimer.advance(by);
    }

    private void send() {
      String text = Integer.toString(++sent);
      String target = cid;
      if (!sessions.isEmpty() && random.nextBoolean()) {
        target = sessions.keySet().iterator().next();
      }
      if (!(senders.get(here).send(target, text) instanceof Delivery.Refused)) {
        accepted.add(text);
      }
    }

    private void read(int events) {
      for (int i = 0; line != null && i < events; i++) {
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
      if (line != null && !line.isGone()) {
        line.consumed(events);
        taken += events;
        untaken -= events;
      }
    }

    private void confirm() {
      if (confirmed < ids.size()) {
        confirmed += random.nextInt(ids.size() - confirmed) + 1;
        channel().confirm(ids.get(confirmed - 1));
      }
    }

    private void cut() {
      if (line != null) {
        line.cut();
      }
    }

    /** Returns an event after which the reader goes on: the last ones may not have reached it. */
    private int from() {
      int lost = random.nextInt(random.nextBoolean() ? 3 : 30);
      return Math.max(Math.max(1, confirmed), seen.size() - lost);
    }

    private boolean isGap(int from) {
      return taken - from > REPLAY_EVENTS;
    }

    private void comeBack() {
      int from = from();
      if (!isGap(from)) {
        ManualTransport before = line;
        line = ManualTransport.open(here, TwoBrokers.RESUME.after(ids.get(from - 1)));
        assertThat(line.channel.id()).isEqualTo(cid);
        if (before != null) {
          before.cut();
        }
        goOnAfter(from);
      }
    }

    private void goOnAfter(int from) {
      seen.subList(from, seen.size()).clear();
      ids.subList(from, ids.size()).clear();
      confirmed = Math.max(confirmed, from);
      taken = from;
      untaken = 0;
    }

    private void changeSessions() {
      if (!sessions.isEmpty() && random.nextInt(3) == 0) {
        String sid = sessions.keySet().iterator().next();
        channel().session(sid).close();
        sessions.remove(sid);
      } else if (sessions.size() < 10) {
        List<String> tags = List.of("a", "b" + random.nextInt(3));
        Session session = channel().openSession(SessionSpec.listed(tags.toArray(String[]::new)));
        sessions.put(session.id(), tags);
      }
    }

    private void move() {
      int from = from();
      ManualTransport before = line;
      Release release = here.moves.release(ResumeId.parse(ids.get(from - 1)));
      if (isGap(from)) {
        assertThat(release).isEqualTo(Release.Refused.TOO_OLD);
        return;
      }
      assertThat(release).isInstanceOf(Release.Done.class);
      ChannelState state = ((Release.Done) release).state();
      assertThat(senders.get(here).send(cid, "0")).isInstanceOf(Delivery.Refused.class);
      assertThat(here.list(TagFilter.all(), 100, null).sessions()).isEmpty();
      if (before != null) {
        // What the old stream still does reaches no reader.
        assertThat(before.poll()).isNull();
        before.consumed(1);
        before.cut();
      }
      advance(Duration.ofSeconds(random.nextInt(100)));
      here = random.nextInt(3) == 0 ? here : here == brokers.one ? brokers.other : brokers.one;
      if (random.nextInt(3) == 0) {
        here.moves.adoptWaiting(state);
        line = null;
        // What the network had taken is kept as it was.
        int kept = Math.max(from, taken);
        goOnAfter(from);
        taken = kept;
      } else {
        line = TwoBrokers.adopt(here, state);
        goOnAfter(from);
      }
      String held = TwoBrokers.held(here);
      assertThatIllegalStateException().isThrownBy(() -> here.moves.adopt(state));
      assertThat(TwoBrokers.held(here)).isEqualTo(held);
      assertSessions();
    }

    private void assertSessions() {
      Map<String, List<String>> hosted = new LinkedHashMap<>();
      channel().sessions().forEach(session -> hosted.put(session.id(), session.tags()));
      assertThat(hosted).isEqualTo(sessions);
      assertThat(here.list(TagFilter.all(), 100, null).sessions())
          .extracting(ListedSession::id)
          .containsExactlyElementsOf(sessions.keySet());
    }

    void finish() {
      cut();
      line = ManualTransport.open(here, TwoBrokers.RESUME.after(ids.get(ids.size() - 1)));
      read(Integer.MAX_VALUE);
      assertThat(seen).isEqualTo(accepted);
      assertSessions();
      brokers.close();
      brokers.assertNothingIsLeft();
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
