package io.peerbroker.it.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.peerbroker.tck.FaultProxy;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Chromium's own EventSource. */
final class BrowserTest extends ComesBackTest {

  @Override
  Client start(URI broker) throws Exception {
    return BrowserClient.start(broker);
  }

  @Override
  boolean comesBackAfterACutHead() {
    return false;
  }

  @Override
  boolean comesBackAfter503() {
    return false;
  }

  @Test
  void cutAtOnce_theyDoNotComeBackAtOnce() throws Exception {
    // From two seconds to six, as each stream's retry field says.
    start(Map.of("retry", "4s"));
    List<FaultProxy> proxies = new ArrayList<>();
    List<Client.Stream> streams = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      proxies.add(proxy());
      streams.add(client.open(channel(proxies.get(i))));
    }
    await().atMost(PATIENCE).until(() -> streams.stream().noneMatch(each -> each.seen().isEmpty()));
    proxies.forEach(FaultProxy::reset);
    Set<FaultProxy> back = new HashSet<>();
    List<Long> times = new ArrayList<>();
    await()
        .pollInterval(Duration.ofMillis(10))
        .atMost(PATIENCE)
        .until(
            () -> {
              for (FaultProxy proxy : proxies) {
                if (proxy.used() > 1 && back.add(proxy)) {
                  times.add(System.nanoTime());
                }
              }
              return back.size() == proxies.size();
            });
    Duration spread = Duration.ofNanos(times.get(times.size() - 1) - times.get(0));
    assertThat(spread).isGreaterThan(Duration.ofMillis(500));
  }
}
