package io.peerbroker.core;

import java.util.List;
import java.util.Objects;

/** A session in this broker's directory. */
final class LocalSession extends ListEntry implements Session {

  final LocalChannel host;
  final Lifecycle lifecycle;

  /** False once it was closed by itself, not with its host. Written as the state. */
  volatile boolean open = true;

  LocalSession(LocalChannel host, SessionRef ref, SessionState state) {
    super(ref, state);
    this.host = host;
    lifecycle = host.lifecycleOf(this);
  }

  /** Notes that it has been closed. Called under the directory's write lock. */
  void closed() {
    open = false;
    ref.clear();
  }

  @Override
  public String id() {
    return ref.id;
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
    return "Session[" + ref.id + "]";
  }
}
