package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.core.Broker;
import io.peerbroker.tck.ServerSettings;
import io.peerbroker.tck.SseStream;
import io.peerbroker.tck.WireChannel;
import io.peerbroker.tck.WireClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.servlet.ServletHolder;
import org.junit.jupiter.api.Test;

/**
 * The effect of a proxy's restart, over real connections: channels are reset at one moment, their
 * graces run out at one moment, and as many watches are notified. An unrelated stream keeps its
 * heartbeats.
 *
 * <p>{@code -Dpeerbroker.storm=1000} makes a thousand of both; the default is 300.
 */
final class CutStormTest {

  private static final int MANY = Integer.getInteger("peerbroker.storm", 300);
  private static final Duration HEARTBEAT = Duration.ofSeconds(1);
  private static final Duration GRACE = Duration.ofSeconds(2);
  private static final Duration BOUND = Duration.ofMinutes(1);

  /** An idle stream, and the longest silence on it. */
  private static final class Idle implements Runnable {
    private final SseStream stream;
    private final AtomicLong longest = new AtomicLong();
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile int heartbeats;

    Idle(SseStream stream) {
      this.stream = stream;
    }

    @Override
    public void run() {
      long last = System.nanoTime();
      while (!over.get()) {
        stream.awaitComments(heartbeats + 1);
        heartbeats = stream.comments().size();
        long now = System.nanoTime();
        longest.accumulateAndGet(now - last, Math::max);
        last = now;
      }
    }
  }

  @Test
  void anIdleStreamKeepsItsHeartbeats() throws Exception {
    Broker broker = Broker.builder().build();
    BrokerHttp http = new BrokerHttp(broker, HttpSettings.defaults().withHeartbeat(HEARTBEAT));
    try (JettyServer server =
            JettyServer.start(new ServletHolder(new OwnServlet(http)), ServerSettings.DEFAULTS);
        WireClient client = new WireClient(server.base());
        WireClient bystander = new WireClient(server.base())) {
      List<SseStream> lists = new ArrayList<>();
      List<SseStream> channels = new ArrayList<>();
      for (int i = 0; i < MANY; i++) {
        lists.add(client.watch(""));
      }
      for (int i = 0; i < MANY; i++) {
        WireChannel channel = client.openChannelAt("/channel?resume=" + GRACE.toSeconds());
        channel.listSession("");
        channels.add(channel.stream());
      }
      Idle idle = new Idle(bystander.openChannel().stream());
      Thread reading = new Thread(idle, "idle stream");
      reading.start();
      await().atMost(BOUND).until(() -> idle.heartbeats > 0);
      idle.longest.set(0);

      long begun = System.nanoTime();
      channels.forEach(SseStream::reset);
      await().atMost(BOUND).until(() -> broker.stats().sessions() == 0);
      Duration gone = Duration.ofNanos(System.nanoTime() - begun);
      int before = idle.heartbeats;
      await().atMost(BOUND).until(() -> idle.heartbeats > before);
      for (SseStream list : lists) {
        list.await("remove");
        list.reset();
      }
      idle.over.set(true);
      reading.join(BOUND.toMillis());

      Duration silence = Duration.ofNanos(idle.longest.get());
      System.out.printf(
          "%d channels cut, %d lists told: longest silence of an idle stream %d ms of %d, all"
              + " sessions gone after %d ms of %d%n",
          MANY, MANY, silence.toMillis(), HEARTBEAT.toMillis(), gone.toMillis(), GRACE.toMillis());
      // Generous, for a busy machine: if the timer notified the watches, the stream would be silent
      // for longer.
      assertThat(silence).isLessThan(HEARTBEAT.multipliedBy(5));
      assertThat(gone).isLessThan(GRACE.multipliedBy(5));
    }
    broker.close();
  }
}
