package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/** A session in this broker's directory. */
final class LocalSession extends Numbered implements Session, SessionRef.Live {

  final LocalChannel host;
  private final String id;

  final SessionRef ref;
  final Lifecycle lifecycle;

  // Written under the directory's write lock.
  volatile SessionState state;

  /** False once it was closed by itself, not with its host. */
  volatile boolean open = true;

  LocalSession(LocalChannel host, String id, long number, SessionState state) {
    super(number);
    this.host = host;
    this.id = id;
    this.state = state;
    ref = new SessionRef(number, id, this);
    lifecycle = host.lifecycleOf(this);
  }

  /** Notes that it has been closed. Called under the directory's write lock. */
  void closed() {
    open = false;
    ref.clear();
  }

  @Override
  public SessionState state() {
    return state;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public Channel host() {
    return host;
  }

  @Override
  public List<String> tags() {
    return state.tags();
  }

  @Override
  public Json metadata() {
    return state.metadata();
  }

  @Override
  public boolean isListed() {
    return state.listed();
  }

  @Override
  public boolean isOpen() {
    return open && host.isOpen();
  }

  @Override
  public void update(SessionUpdate update) {
    Objects.requireNonNull(update, "update");
    host.update(this, update, asked -> asked);
  }

  @Override
  public void close() {
    host.close(this);
  }

  @Override
  public String toString() {
    return "Session[" + id + "]";
  }
}
