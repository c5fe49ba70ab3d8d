package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who shows the key owns the channel (S3 to S6, M4, M11, M12, M14). */
final class ClaimTest {

  private Broker broker = Broker.create();

  @AfterEach
  void close() {
    broker.close();
  }

  /** A channel as an adapter opens it for somebody behind a wire. */
  private Channel remote() {
    return broker.openChannel(
        attachment ->
            new ReceiverTransport(attachment, Runnable::run, null, event -> {}, reason -> {}));
  }

  @Test
  void theKeyOpensAChannelByAnyOfItsIds() {
    Channel channel = remote();
    Session session = channel.openSession(SessionSpec.unlisted());
    assertThat(broker.claim(channel.id(), channel.key())).isSameAs(channel);
    assertThat(broker.claim(session.id(), channel.key())).isSameAs(channel);
  }

  @Test
  void anotherKeyDoesNot() {
    Channel channel = remote();
    Channel other = remote();
    String key = channel.key();
    for (String wrong :
        new String[] {other.key(), "", key + "=", key.substring(1), "\uD800", "é".repeat(32)}) {
      assertRefused(() -> broker.claim(channel.id(), wrong), Code.WRONG_KEY)
          .doesNotContain(key)
          .doesNotContain(other.key());
      assertRefused(() -> broker.claimHost(channel.id(), wrong), Code.WRONG_KEY);
    }
  }

  @Test
  void whoIsNotThereIsUnknownWhateverTheKey() {
    Channel channel = remote();
    Session session = channel.openSession(SessionSpec.unlisted());
    String upper = channel.id().toUpperCase(Locale.ROOT);
    assertRefused(() -> broker.claim(upper, channel.key()), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> broker.claim("", channel.key()), Code.UNKNOWN_CHANNEL);
    session.close();
    assertRefused(() -> broker.claim(session.id(), channel.key()), Code.UNKNOWN_CHANNEL);
    channel.close();
    assertRefused(() -> broker.claim(channel.id(), channel.key()), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> broker.claimHost(channel.id(), null), Code.UNKNOWN_CHANNEL);
  }

  @Test
  void hostingTakesNoKeyUntilOneHasBeenShown() {
    Channel channel = remote();
    assertThat(broker.claimHost(channel.id(), null)).isSameAs(channel);
    assertRefused(() -> broker.claimHost(channel.id(), "wrong"), Code.WRONG_KEY);
    assertThat(broker.claimHost(channel.id(), null)).isSameAs(channel);
    assertThat(broker.claimHost(channel.id(), channel.key())).isSameAs(channel);
    assertRefused(() -> broker.claimHost(channel.id(), null), Code.INVALID_REQUEST)
        .contains("'key'");
    assertThat(broker.claimHost(channel.id(), channel.key())).isSameAs(channel);
  }

  @Test
  void otherUsesOfTheKeyDoNotMakeItNeededForHosting() {
    Channel channel = remote();
    broker.claim(channel.id(), channel.key());
    assertThat(broker.claimHost(channel.id(), null)).isSameAs(channel);
  }

  @Test
  void theHostIsAChannelNotASession() {
    Channel channel = remote();
    Session session = channel.openSession(SessionSpec.unlisted());
    assertRefused(() -> broker.claimHost(session.id(), channel.key()), Code.UNKNOWN_CHANNEL);
    assertRefused(() -> broker.claimHost(session.id(), null), Code.UNKNOWN_CHANNEL);
  }

  @Test
  void aChannelOfThisJvmTakesItsKeyAlways() {
    Channel channel = new Party(broker).channel;
    assertRefused(() -> broker.claimHost(channel.id(), null), Code.INVALID_REQUEST);
    assertThat(broker.claimHost(channel.id(), channel.key())).isSameAs(channel);
  }

  @Test
  void withTheSettingEveryChannelTakesItsKeyAlways() {
    broker.close();
    broker = Broker.builder().requireSessionKey(true).build();
    Channel channel = remote();
    assertRefused(() -> broker.claimHost(channel.id(), null), Code.INVALID_REQUEST)
        .contains("'key'");
    assertThat(broker.claimHost(channel.id(), channel.key())).isSameAs(channel);
  }
}
