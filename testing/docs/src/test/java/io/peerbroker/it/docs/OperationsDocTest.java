package io.peerbroker.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.peerbroker.core.Answer;
import io.peerbroker.core.Broker;
import io.peerbroker.core.BrokerListener;
import io.peerbroker.core.Channel;
import io.peerbroker.core.Json;
import io.peerbroker.core.Request;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.it.common.DocBlock;
import io.peerbroker.it.common.DocProgram;
import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The examples of docs/operations.md. */
final class OperationsDocTest {

  private static final String[] IMPORTS = {
    "io.micrometer.core.instrument.*",
    "io.micrometer.core.instrument.binder.MeterBinder",
    "io.peerbroker.core.*",
    "java.util.function.Consumer"
  };

  private static Object construct(DocProgram program, Class<?> parameter, Object argument)
      throws Exception {
    Constructor<?> constructor =
        program.main().getDeclaredClasses()[0].getDeclaredConstructor(parameter);
    constructor.setAccessible(true);
    return constructor.newInstance(argument);
  }

  @Test
  @DisplayName("Micrometer shows the broker's figures.")
  void meters() throws Exception {
    DocBlock block = DocBlock.of("docs/operations.md", "Micrometer");
    var registry = new SimpleMeterRegistry();
    try (DocProgram program = DocProgram.ofMembers("public final", List.of(block), IMPORTS);
        Broker broker = Broker.create()) {
      ((MeterBinder) construct(program, Broker.class, broker)).bindTo(registry);
      Channel channel = broker.openChannel((self, message) -> {});
      channel.openSession(SessionSpec.listed("chess"));
      channel.send(channel.id(), Json.of(1)).toCompletableFuture().join();
      channel.send("nobody", Json.of(1)).toCompletableFuture().join();
      assertThat(gauge(registry, "peerbroker.channels")).isEqualTo(1);
      assertThat(gauge(registry, "peerbroker.sessions")).isEqualTo(1);
      assertThat(registry.get("peerbroker.messages.sent").functionCounter().count()).isEqualTo(1);
      assertThat(refused(registry, "unknown_target")).isEqualTo(1);
      assertThat(refused(registry, "internal")).isZero();
      channel.close();
      assertThat(gauge(registry, "peerbroker.channels")).isZero();
    }
  }

  private static double gauge(SimpleMeterRegistry registry, String name) {
    Gauge gauge = registry.get(name).gauge();
    return gauge.value();
  }

  private static double refused(SimpleMeterRegistry registry, String code) {
    FunctionCounter counter =
        registry.get("peerbroker.messages.refused").tag("code", code).functionCounter();
    return counter.count();
  }

  @Test
  @DisplayName("The audit records each wrong key.")
  void wrongKeys() throws Exception {
    DocBlock block = DocBlock.of("docs/operations.md", "wrong keys");
    List<String> audit = new ArrayList<>();
    Consumer<String> into = audit::add;
    try (DocProgram program = DocProgram.ofMembers("public final", List.of(block), IMPORTS)) {
      var listener = (BrokerListener) construct(program, Consumer.class, into);
      try (Broker broker = Broker.builder().listener(listener).build()) {
        Channel channel = broker.openChannel((self, message) -> {});
        Request.Actor actor = Request.Actor.of(channel.id()).withKey("wrong");
        assertThat(broker.gateway().perform(new Request.Ping(actor)).toCompletableFuture().join())
            .isInstanceOf(Answer.Refused.class);
        assertThat(audit).containsExactly("A wrong key for " + channel.id());
      }
    }
  }
}
