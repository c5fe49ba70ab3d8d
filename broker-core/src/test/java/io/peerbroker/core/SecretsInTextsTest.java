package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Texts that an application may log without a check: those of objects, and of refusals. */
final class SecretsInTextsTest {

  private static final String SAID = "canary-of-a-message";

  @Test
  void holdNoKeyNoEventIdAndNoMessage() {
    List<Object> given = new ArrayList<>();
    BrokerListener listener =
        new BrokerListener() {
          @Override
          public void messageAnswered(Channel sender, Message message, Delivery delivery) {
            given.addAll(List.of(sender, message, delivery));
          }

          @Override
          public void callRefused(@Nullable Channel channel, Refusal refusal) {
            given.addAll(List.of(channel, refusal, new RefusedException(refusal)));
          }
        };
    Broker broker = Broker.builder().listener(listener).build();
    ChannelOptions options = ChannelOptions.none().withResume(Duration.ofSeconds(30));
    List<Envelope> events = new ArrayList<>();
    Channel channel =
        Wired.openChannel(
            broker,
            options,
            attachment ->
                new Transport() {
                  @Override
                  public void ready() {
                    for (Envelope next = attachment.poll();
                        next != null;
                        next = attachment.poll()) {
                      events.add(next);
                    }
                  }

                  @Override
                  public void end(CloseReason reason) {
                    attachment.detach(reason);
                  }
                });
    Session session = channel.openSession(SessionSpec.listed("a"));
    channel.sendOrThrow(session.id(), Json.of(SAID));
    Object unused = channel.send("nobody", Json.of(SAID));
    for (String key : List.of(SAID, channel.key() + SAID)) {
      try {
        Wired.claim(broker, channel.id(), key);
      } catch (RefusedException refused) {
        given.add(refused);
      }
    }
    String eventId = events.get(0).id();
    given.addAll(List.of(broker, channel, session, options.after(eventId), broker.stats()));
    given.add(ResumeId.parse(eventId));
    for (Envelope envelope : events) {
      given.addAll(List.of(envelope, envelope.event()));
    }
    String secret = ResumeId.parse(eventId).secret();
    assertThat(given).hasSizeGreaterThan(20);
    assertThat(events).hasSize(2);
    for (Object object : given) {
      assertThat(object.toString())
          .as(object.getClass().getSimpleName())
          .doesNotContain(channel.key())
          .doesNotContain(secret)
          .doesNotContain(SAID);
    }
    broker.close();
  }
}
