package io.peerbroker.core;

import java.security.Principal;
import org.jspecify.annotations.Nullable;

/** A caller of whom nothing is known but its login. */
record LoggedIn(@Nullable Principal principal) implements Caller {}
