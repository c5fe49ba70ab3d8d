package io.peerbroker.core;

/**
 * Wraps the application's ICE servers: each call returns a configuration or throws a {@link
 * RefusedException}, and nothing else.
 */
record GuardedIceServers(IceServers servers) implements IceServers {

  @Override
  public IceConfiguration forCaller(Caller caller) {
    return ForeignCalls.answer("ICE servers", () -> servers.forCaller(caller));
  }
}
