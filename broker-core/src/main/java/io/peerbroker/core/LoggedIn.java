package io.peerbroker.core;

import java.security.Principal;
import org.jspecify.annotations.Nullable;

/** A caller of which only the login is known; the login may be null. */
record LoggedIn(@Nullable Principal principal) implements Caller {}
