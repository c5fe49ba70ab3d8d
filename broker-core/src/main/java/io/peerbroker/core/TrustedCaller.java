package io.peerbroker.core;

import java.security.Principal;
import org.jspecify.annotations.Nullable;

/** The caller that bypasses the access policy. */
enum TrustedCaller implements Caller {
  INSTANCE;

  @Override
  public @Nullable Principal principal() {
    return null;
  }

  @Override
  public String toString() {
    return "trusted";
  }
}
