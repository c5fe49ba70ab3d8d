package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The examples of docs/operations.md: they stand there as they stand here, and they work. */
final class OperationsExampleTest {

  /** Stands for a metrics library's. */
  private interface MeterRegistry {
    void gauge(String name, Supplier<Number> value);

    void counter(String name, Supplier<Number> value);
  }

  /** Binds a broker's figures to a registry of meters. */
  static void bind(MeterRegistry registry, Broker broker) {
    registry.gauge("peerbroker.channels", () -> broker.stats().channels());
    registry.gauge("peerbroker.waiting", () -> broker.stats().waiting());
    registry.gauge("peerbroker.sessions", () -> broker.stats().sessions());
    registry.gauge("peerbroker.queued.bytes", () -> broker.stats().queuedBytes());
    registry.counter("peerbroker.messages.sent", () -> broker.stats().messagesSent());
    for (Refusal.Code code : Refusal.Code.values()) {
      String name = "peerbroker.messages.refused." + code.code();
      registry.counter(name, () -> broker.stats().messagesRefused().getOrDefault(code, 0L));
    }
  }

  /** Says which channels somebody tries keys on. */
  static final class WrongKeys implements BrokerListener {

    private final Consumer<String> audit;

    WrongKeys(Consumer<String> audit) {
      this.audit = audit;
    }

    @Override
    public void callRefused(Channel channel, Refusal refusal) {
      if (channel != null && refusal.code() == Refusal.Code.WRONG_KEY) {
        audit.accept("A wrong key for " + channel.id());
      }
    }
  }

  private static final class Meters implements MeterRegistry {
    final Map<String, Supplier<Number>> all = new LinkedHashMap<>();

    @Override
    public void gauge(String name, Supplier<Number> value) {
      all.put(name, value);
    }

    @Override
    public void counter(String name, Supplier<Number> value) {
      all.put(name, value);
    }

    long read(String name) {
      return all.get(name).get().longValue();
    }
  }

  @Test
  void theyWork() {
    List<String> audit = new ArrayList<>();
    Meters meters = new Meters();
    try (Broker broker = Broker.builder().listener(new WrongKeys(audit::add)).build()) {
      bind(meters, broker);
      Party party = new Party(broker);
      party.host("a");
      party.send(party.id(), "1");
      party.send("nobody", "1");
      try {
        broker.claim(party.id(), "wrong");
      } catch (RefusedException refused) {
        assertThat(audit).containsExactly("A wrong key for " + party.id());
      }
      assertThat(meters.read("peerbroker.channels")).isEqualTo(1);
      assertThat(meters.read("peerbroker.sessions")).isEqualTo(1);
      assertThat(meters.read("peerbroker.messages.sent")).isEqualTo(1);
      assertThat(meters.read("peerbroker.messages.refused.unknown_target")).isEqualTo(1);
      assertThat(meters.read("peerbroker.messages.refused.internal")).isZero();
    }
    assertThat(audit).hasSize(1);
    assertThat(meters.read("peerbroker.channels")).isZero();
  }

  @Test
  void theyStandInTheDocumentAsTheyStandHere() throws Exception {
    String here =
        Files.readString(Path.of("src/test/java/io/peerbroker/core/OperationsExampleTest.java"));
    String document = Files.readString(Path.of("../docs/operations.md"));
    List<String> examples =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(document)
            .results()
            .map(match -> match.group(1))
            .toList();
    assertThat(examples).hasSize(2);
    for (String example : examples) {
      assertThat(here).contains(example.indent(2).replace("\n  \n", "\n\n"));
    }
  }
}
