package io.peerbroker.core;

import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Wraps the application's policy: each call returns a decision or throws a {@link
 * RefusedException}, and nothing else. A policy that fails permits nothing.
 */
record GuardedPolicy(AccessPolicy policy) implements AccessPolicy {

  static final AccessPolicy ALLOW_ALL =
      new AccessPolicy() {
        @Override
        public String toString() {
          return "AccessPolicy[allow all]";
        }
      };

  GuardedPolicy {
    Objects.requireNonNull(policy, "policy");
  }

  @Override
  public void open(Caller caller, ChannelOptions options) {
    answered(
        () -> {
          policy.open(caller, options);
          return options;
        });
  }

  @Override
  public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
    return answered(() -> policy.host(caller, channel, spec));
  }

  @Override
  public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
    return answered(() -> policy.update(caller, session, update));
  }

  @Override
  public void send(Caller caller, Message message) {
    send(caller, message, null);
  }

  @Override
  public void send(Caller caller, Message message, @Nullable Target target) {
    answered(
        () -> {
          policy.send(caller, message, target);
          return message;
        });
  }

  @Override
  public Scope scope(Caller caller, TagFilter filter) {
    return answered(() -> policy.scope(caller, filter));
  }

  private static <T> T answered(Supplier<@Nullable T> question) {
    return ForeignCalls.answer("access policy", question);
  }
}
