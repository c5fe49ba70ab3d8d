package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The key proves the ownership of a channel (S3 to S6, M4, M11, M12, M14). */
final class ClaimTest {

  private Broker broker = Broker.create();

  @AfterEach
  void close() {
    broker.close();
  }

  /** A channel that an adapter opens for a remote client. */
  private Channel remote() {
    return Wired.openChannel(
        broker,
        attachment ->
            new ReceiverTransport(attachment, Runnable::run, null, event -> {}, reason -> {}));
  }

  @Test
  void theKeyOpensAChannelByAnyOfItsIds() {
    Channel channel = remote();
    Session session = channel.openSession(SessionSpec.unlisted());
    assertThat(Wired.claim(broker, channel.id(), channel.key())).isSameAs(channel);
    assertThat(Wired.claim(broker, session.id(), channel.key())).isSameAs(channel);
  }

  @Test
  void anotherKeyDoesNot() {
    Channel channel = remote();
    Channel other = remote();
    String key = channel.key();
    for (String wrong :
        new String[] {other.key(), "", key + "=", key.substring(1), "\uD800", "é".repeat(32)}) {
      assertRefused(() -> Wired.claim(broker, channel.id(), wrong), Code.WRONG_KEY)
          .doesNotContain(key)
          .doesNotContain(other.key());
      assertRefused(() -> Wired.claimHost(broker, channel.id(), wrong), Code.WRONG_KEY);
    }
  }

  @Test
  void whoIsNotThereIsUnknownWhateverTheKey() {
    Channel channel = remote();
    Session session = channel.openSession(SessionSpec.unlisted());
    String upper = channel.id().toUpperCase(Locale.ROOT);
    assertRefused(() -> Wired.claim(broker, upper, channel.key()), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> Wired.claim(broker, "", channel.key()), Code.UNKNOWN_CHANNEL);
    session.close();
    assertRefused(() -> Wired.claim(broker, session.id(), channel.key()), Code.UNKNOWN_CHANNEL);
    channel.close();
    assertRefused(() -> Wired.claim(broker, channel.id(), channel.key()), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> Wired.claimHost(broker, channel.id(), null), Code.UNKNOWN_CHANNEL);
  }

  @Test
  void hostingTakesNoKeyUntilOneHasBeenShown() {
    Channel channel = remote();
    assertThat(Wired.claimHost(broker, channel.id(), null)).isSameAs(channel);
    assertRefused(() -> Wired.claimHost(broker, channel.id(), "wrong"), Code.WRONG_KEY);
    assertThat(Wired.claimHost(broker, channel.id(), null)).isSameAs(channel);
    assertThat(Wired.claimHost(broker, channel.id(), channel.key())).isSameAs(channel);
    assertRefused(() -> Wired.claimHost(broker, channel.id(), null), Code.INVALID_REQUEST)
        .contains("'key'");
    assertThat(Wired.claimHost(broker, channel.id(), channel.key())).isSameAs(channel);
  }

  @Test
  void otherUsesOfTheKeyDoNotMakeItNeededForHosting() {
    Channel channel = remote();
    Wired.claim(broker, channel.id(), channel.key());
    assertThat(Wired.claimHost(broker, channel.id(), null)).isSameAs(channel);
  }

  @Test
  void theHostIsAChannelNotASession() {
    Channel channel = remote();
    Session session = channel.openSession(SessionSpec.unlisted());
    assertRefused(() -> Wired.claimHost(broker, session.id(), channel.key()), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> Wired.claimHost(broker, session.id(), null), Code.UNKNOWN_CHANNEL);
  }

  @Test
  void aChannelOfThisJvmTakesItsKeyAlways() {
    Channel channel = new Party(broker).channel;
    assertRefused(() -> Wired.claimHost(broker, channel.id(), null), Code.INVALID_REQUEST);
    assertThat(Wired.claimHost(broker, channel.id(), channel.key())).isSameAs(channel);
  }

  @Test
  void withTheSettingEveryChannelTakesItsKeyAlways() {
    broker.close();
    broker = Broker.builder().requireSessionKey(true).build();
    Channel channel = remote();
    assertRefused(() -> Wired.claimHost(broker, channel.id(), null), Code.INVALID_REQUEST)
        .contains("'key'");
    assertThat(Wired.claimHost(broker, channel.id(), channel.key())).isSameAs(channel);
  }
}
