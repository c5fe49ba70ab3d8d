package io.peerbroker.core;

import java.util.List;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

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

  /** The channel that acts with this origin and this key, as {@link Gateway#perform} finds it. */
  static Channel claim(Broker broker, String origin, String key) {
    LocalGateway gateway = (LocalGateway) broker.gateway();
    return gateway.acting(
        gateway.claim(
            new Request.Send(Request.Actor.of(origin).withKey(key), origin, List.of(Json.NULL))));
  }

  /** The channel that hosts a session with this key, or without one. */
  static Channel claimHost(Broker broker, String cid, @Nullable String key) {
    LocalGateway gateway = (LocalGateway) broker.gateway();
    Request.Actor actor = Request.Actor.of(cid);
    return gateway.acting(
        gateway.claim(
            new Request.OpenSession(
                key == null ? actor : actor.withKey(key), SessionSpec.unlisted())));
  }
}
