package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.core.BrokerBuilder;
import io.peerbroker.core.BrokerListener;
import io.peerbroker.core.BrokerStats;
import io.peerbroker.core.Channel;
import io.peerbroker.core.CloseReason;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.Limits;
import io.peerbroker.core.Message;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.Session;
import io.peerbroker.core.Timer;
import io.peerbroker.core.Watch;
import io.peerbroker.tck.CountingTimer;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.Test;

/**
 * After many channels and lists have been opened and dropped in every way, all that they held is
 * free again: permits, queued bytes, timer tasks, streams, descriptors.
 *
 * <p>{@code -Dpeerbroker.dropped=10000} drops as many.
 */
final class DroppedChannelsTest {

  private static final int DROPPED = Integer.getInteger("peerbroker.dropped", 200);
  private static final int WAVE = 100;
  private static final int CHANNELS = 150;
  private static final Duration BOUND = Duration.ofSeconds(60);

  /** Counts independently what the broker reports about itself. */
  private static final class Counting implements BrokerListener {

    final AtomicInteger channels = new AtomicInteger();
    final AtomicInteger sessions = new AtomicInteger();
    final AtomicInteger watches = new AtomicInteger();
    final AtomicLong opened = new AtomicLong();
    final AtomicLong sent = new AtomicLong();
    final AtomicLong interrupted = new AtomicLong();
    final AtomicLong full = new AtomicLong();
    final Set<Channel> interruptedNow = ConcurrentHashMap.newKeySet();

    @Override
    public void channelOpened(Channel channel) {
      opened.incrementAndGet();
      channels.incrementAndGet();
    }

    @Override
    public void channelInterrupted(Channel channel) {
      interrupted.incrementAndGet();
      interruptedNow.add(channel);
    }

    @Override
    public void channelClosed(Channel channel, CloseReason reason) {
      interruptedNow.remove(channel);
      channels.decrementAndGet();
    }

    @Override
    public void sessionOpened(Session session) {
      sessions.incrementAndGet();
    }

    @Override
    public void sessionClosed(Session session) {
      sessions.decrementAndGet();
    }

    @Override
    public void watchOpened(Watch watch) {
      watches.incrementAndGet();
    }

    @Override
    public void watchClosed(Watch watch, CloseReason reason) {
      watches.decrementAndGet();
    }

    @Override
    public void messageAnswered(Channel sender, Message message, Delivery delivery) {
      if (delivery instanceof Delivery.Sent) {
        sent.incrementAndGet();
      }
    }

    @Override
    public void callRefused(Channel channel, Refusal refusal) {
      if (refusal.code() == Refusal.Code.AT_CAPACITY) {
        full.incrementAndGet();
      }
    }
  }

  private final CountingTimer timer = new CountingTimer();
  private final Counting counting = new Counting();
  private final Broker broker = builder(timer).listener(counting).build();
  private int channelsOpened;
  private int sessionsOpened;
  private int watchesOpened;
  private int messagesSent;
  private final BrokerHttp http =
      new BrokerHttp(broker, HttpSettings.defaults().withHeartbeat(Duration.ofMillis(200)));

  private static BrokerBuilder builder(Timer timer) {
    return Broker.builder()
        .timer(timer)
        .maxChannels(CHANNELS)
        .maxTotalQueuedBytes(200_000)
        .messageRate(Limits.Rate.UNLIMITED);
  }

  @Test
  void leaveNothingBehind() throws Exception {
    int fresh = room(builder(timer).build());
    try (JettyServer server =
            JettyServer.start(new ServletHolder(new OwnServlet(http)), ServerSettings.DEFAULTS);
        WireClient client = new WireClient(server.base())) {
      client.get("/list");
      int descriptors = descriptors();
      for (int dropped = 0; dropped < DROPPED; dropped += WAVE) {
        dropOneWave(client);
      }
      await().atMost(BOUND).until(() -> http.streams.isEmpty() && timer.outstanding() == 0);
      await().atMost(BOUND).until(() -> descriptors() <= descriptors + 2);
      assertThatAllPlacesAreFree(client);
      await().atMost(BOUND).until(() -> http.streams.isEmpty() && timer.outstanding() == 0);
      await().atMost(BOUND).untilAsserted(this::assertThatTheFiguresAreTrue);
      assertThat(room(broker)).isEqualTo(fresh);
      // The tasks that looked after the turns of receivers in this JVM.
      assertThat(timer.outstanding()).isZero();
    }
    broker.close();
    timer.close();
  }

  /** The broker has counted and reported exactly what was done, and nothing of it is left. */
  private void assertThatTheFiguresAreTrue() {
    BrokerStats stats = broker.stats();
    assertThat(stats.channelsOpened()).isEqualTo(channelsOpened + CHANNELS);
    assertThat(sum(stats.channelsClosed())).isEqualTo(channelsOpened + CHANNELS);
    assertThat(stats.sessionsOpened()).isEqualTo(sessionsOpened);
    assertThat(stats.sessionsClosed()).isEqualTo(sessionsOpened);
    assertThat(stats.watchesOpened()).isEqualTo(watchesOpened);
    assertThat(sum(stats.watchesClosed())).isEqualTo(watchesOpened);
    assertThat(stats.messagesSent()).isEqualTo(messagesSent);
    assertThat(stats.callsRefused()).containsEntry(Refusal.Code.AT_CAPACITY, 1L);
    // The channels that could be resumed and that their owners did not close.
    assertThat(stats.channelsInterrupted()).isPositive();
    assertThat(stats.channelsClosed())
        .containsEntry(CloseReason.EXPIRED, stats.channelsInterrupted());
    assertThat(stats.channels() + stats.waiting() + stats.sessions() + stats.listed()).isZero();
    assertThat(stats.watches() + stats.streams()).isZero();
    assertThat(stats.queuedBytes()).isZero();

    assertThat(counting.opened).hasValue(stats.channelsOpened());
    assertThat(counting.interrupted).hasValue(stats.channelsInterrupted());
    assertThat(counting.sent).hasValue(messagesSent);
    assertThat(counting.full).hasValue(1);
    assertThat(counting.channels).hasValue(0);
    assertThat(counting.sessions).hasValue(0);
    assertThat(counting.watches).hasValue(0);
    assertThat(counting.interruptedNow).isEmpty();
  }

  private static long sum(Map<CloseReason, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private void dropOneWave(WireClient client) {
    List<WireChannel> channels = new ArrayList<>();
    List<SseStream> lists = new ArrayList<>();
    for (int i = 0; i < WAVE; i++) {
      if (i % 7 == 0) {
        lists.add(client.watch(""));
        watchesOpened++;
      } else {
        WireChannel channel = client.openChannelAt(i % 7 == 1 ? "/channel?resume=1" : "/channel");
        channelsOpened++;
        channel.listSession("");
        sessionsOpened++;
        channels.add(channel);
      }
    }
    for (int i = 0; i < channels.size(); i++) {
      WireChannel channel = channels.get(i);
      switch (i % 4) {
        case 0 -> channel.stream().reset();
        case 1 -> channel.stream().close();
        case 2 -> {
          assertThat(channel.send(channel.cid(), "\"unread\"").status()).isEqualTo(200);
          messagesSent++;
          channel.stream().close();
        }
        default -> {
          channel.close();
          channel.stream().close();
        }
      }
    }
    for (int i = 0; i < lists.size(); i++) {
      if (i % 2 == 0) {
        lists.get(i).reset();
      } else {
        lists.get(i).close();
      }
    }
    await().atMost(BOUND).until(() -> http.streams.isEmpty());
    // The channels that could have been resumed hold their permits for a second longer.
    await().atMost(BOUND).until(() -> client.get("/list").body().equals("[]"));
  }

  /**
   * Returns how many messages can wait in all queues together, of a reader that reads only when
   * they are full.
   */
  private static int room(Broker broker) {
    // Turns begin late. A turn that never began would be looked after for longer than a minute.
    Queue<Runnable> turns = new ConcurrentLinkedQueue<>();
    int sent = 0;
    try (Channel reader = broker.openChannel((channel, message) -> {}, turns::add);
        Channel sender = broker.openChannel((channel, message) -> {}, turns::add)) {
      Json message = Json.of("x".repeat(400));
      while (sender.send(reader.id(), message).toCompletableFuture().join()
          instanceof Delivery.Sent) {
        sent++;
      }
    }
    for (Runnable turn = turns.poll(); turn != null; turn = turns.poll()) {
      turn.run();
    }
    return sent;
  }

  private static void assertThatAllPlacesAreFree(WireClient client) {
    List<WireChannel> channels = new ArrayList<>();
    for (int i = 0; i < CHANNELS; i++) {
      channels.add(client.openChannel());
    }
    assertThat(client.get("/channel").member("code")).isEqualTo("at_capacity");
    for (WireChannel channel : channels) {
      channel.stream().close();
    }
  }

  private static int descriptors() {
    String[] open = new File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }
}
