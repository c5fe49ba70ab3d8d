package io.peerbroker.peerjs;

import io.peerbroker.core.Caller;
import io.peerbroker.core.RefusedException;

/**
 * The application's decision about who may have which id. Without one, an id is the first client's
 * that asks for it, for as long as that client is connected.
 */
@FunctionalInterface
public interface IdPolicy {

  /**
   * Decides whether a caller may have an id. Called on the thread that serves the handshake, by
   * many at once, also for a client that comes back to its id; must not block.
   *
   * @param caller an {@link io.peerbroker.servlet.HttpCaller}: the client as its handshake shows it
   * @param id well-formed: at most {@value PeerJsServlet#MAX_ID} letters, digits, spaces, hyphens
   *     and underscores
   * @throws RefusedException to refuse it: {@link io.peerbroker.core.AccessPolicy#denied}. The page
   *     is told the detail, as an error of the type {@code server-error}. Any other exception
   *     refuses it without details
   */
  void check(Caller caller, String id);
}
