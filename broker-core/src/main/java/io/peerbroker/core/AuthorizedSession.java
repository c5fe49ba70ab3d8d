package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/** A session on which every operation is authorized for a caller. */
record AuthorizedSession(LocalSession session, AuthorizedChannel host) implements Session {

  @Override
  public String id() {
    return session.id();
  }

  @Override
  public List<String> tags() {
    return session.tags();
  }

  @Override
  public Json metadata() {
    return session.metadata();
  }

  @Override
  public boolean isListed() {
    return session.isListed();
  }

  @Override
  public boolean isOpen() {
    return session.isOpen();
  }

  @Override
  public void update(SessionUpdate update) {
    Objects.requireNonNull(update, "update");
    AccessPolicy policy = host.policy();
    session.host.update(session, update, asked -> policy.update(host.caller(), session, asked));
  }

  @Override
  public void close() {
    session.close();
  }

  @Override
  public String toString() {
    return session.toString();
  }
}
