package io.peerbroker.core;

import java.util.concurrent.CompletionException;

/** What adapters do, for tests: as a broker's {@link Gateway}, but nothing has to be waited for. */
final class Wired {

  private Wired() {}

  static Channel openChannel(Broker broker, Transport.Opener opener) {
    return openChannel(broker, ChannelOptions.none(), opener);
  }

  static Channel openChannel(Broker broker, ChannelOptions options, Transport.Opener opener) {
    try {
      return broker.gateway().openChannel(options, opener).toCompletableFuture().join();
    } catch (CompletionException failed) {
      throw Wired.<RuntimeException>sneak(failed.getCause());
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> T sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  static Channel claim(Broker broker, String origin, String key) {
    return broker.gateway().claim(origin, key);
  }

  static Channel claimHost(Broker broker, String cid, String key) {
    return broker.gateway().claimHost(cid, key);
  }
}
