package io.peerbroker.peerjs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Delivery;
import io.peerbroker.core.Json;
import io.peerbroker.core.ListedSession;
import io.peerbroker.core.Message;
import io.peerbroker.core.Page;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.TagFilter;
import io.peerbroker.core.Timer;
import io.peerbroker.websocket.SocketConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The clients by their ids, and the way of a frame from one to another: through the broker, as a
 * message from one's channel to the other's.
 *
 * <p>Safe for use by many threads. The lock is held for a few operations on maps; the broker and
 * the application are called outside it.
 */
final class Peers implements PeerSocket.Relay {

  /** How many characters an id may have. */
  static final int MAX_ID = 128;

  /**
   * How many addresses of clients that have left are remembered, for frames that are still under
   * way: a client has one, and a second if it hosts a session.
   */
  private static final int MAX_LEFT = 1_024;

  /** How many ids are listed. */
  private static final int MAX_IDS = 1_000;

  /** How many pages of the list are looked through for them, where others use the tag as well. */
  private static final int MAX_PAGES = 16;

  private final Broker broker;
  private final PeerJsSettings settings;
  private final Timer timer;

  private final Object lock = new Object();

  /** Who has an id. Written under the lock. */
  private final Map<String, PeerSocket> byId = new ConcurrentHashMap<>();

  /** The ids of clients by the addresses that the broker has for them. Written under the lock. */
  private final Map<String, String> names = new ConcurrentHashMap<>();

  /** The same of the last that have left. */
  @GuardedBy("lock")
  private final Map<String, String> left =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > MAX_LEFT;
        }
      };

  /** What waits for ids that nobody has. */
  @GuardedBy("lock")
  private final WaitingFrames waiting = new WaitingFrames();

  /** Whether {@link #expire} is scheduled. It is while something waits. */
  @GuardedBy("lock")
  private boolean expires;

  /** Every client whose connection is yet to be closed, also of those that have got no id. */
  private final Set<PeerSocket> open = ConcurrentHashMap.newKeySet();

  Peers(Broker broker, PeerJsSettings settings) {
    this.broker = broker;
    this.settings = settings;
    timer = broker.gateway().timer();
  }

  /** Returns the policy of the broker. */
  AccessPolicy policy() {
    return broker.gateway().policy();
  }

  /** Returns the connection of a client that asks for an id. */
  PeerSocket connect(String id, String token) {
    PeerSocket socket = new PeerSocket(id, token, settings, timer, broker.limits(), this);
    open.add(socket);
    socket.connection().start();
    return socket;
  }

  /** Opens a channel for a client and gives it its id, or tells it why not. */
  void enter(PeerSocket socket, Caller caller) {
    RefusedException.untraced(() -> tryToEnter(socket, caller));
  }

  private void tryToEnter(PeerSocket socket, Caller caller) {
    try {
      settings.ids().check(caller, socket.id());
      socket.opened(openChannel(socket, caller));
      if (take(socket)) {
        return;
      }
      socket.refuse(Frames.ID_TAKEN);
    } catch (RefusedException refused) {
      socket.refuse(Frames.error(refused.refusal().detail()));
    } catch (RuntimeException failed) {
      Log.log(System.Logger.Level.ERROR, "A client was not admitted", failed);
      socket.refuse(Frames.error("The server failed; its log says more."));
    }
  }

  private Channel openChannel(PeerSocket socket, Caller caller) {
    try {
      return broker
          .forCaller(caller)
          .gateway()
          .openChannel(ChannelOptions.none(), socket.connection()::attach)
          .toCompletableFuture()
          .join();
    } catch (CompletionException failed) {
      throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
  }

  /**
   * Gives a client its id, and all that waits for it. Returns false if another has the id, or if
   * the client has gone.
   */
  private boolean take(PeerSocket socket) {
    String id = socket.id();
    boolean isAddress = isAddress(id);
    PeerSocket before;
    synchronized (lock) {
      if (!socket.isOpen()) {
        // Given up while a policy took its time: remove() has been, and nobody would free the id.
        return false;
      }
      before = byId.get(id);
      if (before == null ? isAddress : !before.hasTokenOf(socket)) {
        return false;
      }
      byId.put(id, socket);
      names.put(socket.address(), id);
    }
    try {
      host(socket);
    } catch (RuntimeException refused) {
      giveBack(socket, before);
      throw refused;
    }
    List<WaitingFrames.Waiting> frames;
    synchronized (lock) {
      frames = byId.get(id) == socket ? waiting.take(id) : List.of();
    }
    socket.admitted();
    if (before != null) {
      before.leave();
    }
    for (WaitingFrames.Waiting frame : frames) {
      deliver(frame.sender, socket.address(), id, frame.type, frame.message);
    }
    return true;
  }

  private void host(PeerSocket socket) {
    String tag = settings.tag();
    if (tag != null) {
      Session session =
          socket
              .channel()
              .openSession(SessionSpec.listed(tag).withMetadata(Frames.metadata(socket.id())));
      synchronized (lock) {
        // If it has gone meanwhile, so has its session: see take().
        if (socket.isOpen()) {
          socket.hosts(session);
          names.put(session.id(), socket.id());
        }
      }
    }
  }

  /** Gives the id of a client whose session is refused to the one that had it before. */
  private void giveBack(PeerSocket socket, @Nullable PeerSocket before) {
    boolean isBack;
    synchronized (lock) {
      isBack = before != null && before.isOpen() && byId.replace(socket.id(), socket, before);
      if (!isBack) {
        byId.remove(socket.id(), socket);
      }
    }
    if (!isBack && before != null) {
      // It has lost the id for good, and no frame would reach it.
      before.leave();
    }
  }

  @Override
  public void closed(PeerSocket socket) {
    open.remove(socket);
  }

  @Override
  public void remove(PeerSocket socket) {
    synchronized (lock) {
      byId.remove(socket.id(), socket);
      waiting.drop(socket);
      for (String address : socket.addresses()) {
        String name = names.remove(address);
        if (name != null) {
          left.put(address, name);
        }
      }
    }
  }

  @Override
  public String nameOf(String address) {
    String name = names.get(address);
    if (name == null) {
      synchronized (lock) {
        name = left.get(address);
      }
    }
    return name == null ? address : name;
  }

  @Override
  public void received(PeerSocket from, byte[] text) {
    Map<String, Json> members;
    try {
      // However deep: what is too deep for a message is refused as one, and so reported.
      members = Json.members(text, Json.MAX_DEPTH);
    } catch (RefusedException malformed) {
      return;
    }
    String type = string(members, "type");
    String dst = string(members, "dst");
    if (type == null || !Frames.isRelayed(type)) {
      return;
    }
    if (dst == null || dst.isEmpty()) {
      if (type.equals("LEAVE")) {
        from.leave();
      }
    } else if (dst.length() <= MAX_ID) {
      relay(from, dst, type, Frames.message(type, members.get("payload")));
    } else if (Frames.isAwaited(type)) {
      from.tell(Frames.expire(dst.substring(0, MAX_ID), from.id()));
    }
  }

  private static @Nullable String string(Map<String, Json> members, String name) {
    Json value = members.get(name);
    return value != null && value.isString() ? value.asString() : null;
  }

  private void relay(PeerSocket from, String dst, String type, Json message) {
    PeerSocket to = byId.get(dst);
    if (to != null) {
      deliver(from, to.address(), dst, type, message);
    } else if (isAddress(dst)) {
      deliver(from, dst, dst, type, message);
    } else if (Frames.isAwaited(type)) {
      await(from, dst, type, message);
    }
  }

  /** Returns whether an id is that of a channel or a session of the broker's. */
  private boolean isAddress(String id) {
    return broker.findSession(id) != null || broker.findChannel(id) != null;
  }

  private void await(PeerSocket from, String dst, String type, Json message) {
    PeerSocket to;
    boolean waits = false;
    boolean isFirst = false;
    synchronized (lock) {
      if (!from.isOpen()) {
        // What it had waiting has been dropped.
        return;
      }
      // Once more: it may have come meanwhile.
      to = byId.get(dst);
      if (to == null) {
        waits = waiting.add(new WaitingFrames.Waiting(from, dst, type, message, timer.nanoTime()));
        isFirst = waits && !expires;
        expires |= waits;
      }
    }
    if (to != null) {
      deliver(from, to.address(), dst, type, message);
    } else if (!waits) {
      from.tell(Frames.expire(dst, from.id()));
    } else if (isFirst) {
      var unused = timer.schedule(settings.waitTimeout(), this::expire);
    }
  }

  /** Tells the senders of what has waited too long, and looks again when the next has. */
  private void expire() {
    List<WaitingFrames.Waiting> reports;
    Duration next = null;
    synchronized (lock) {
      long now = timer.nanoTime();
      long nanos = settings.waitTimeout().toNanos();
      reports = waiting.expire(now, nanos);
      WaitingFrames.Waiting oldest = waiting.oldest();
      expires = oldest != null;
      if (oldest != null) {
        next = Duration.ofNanos(Math.max(0, nanos - (now - oldest.since)));
      }
    }
    if (next != null) {
      var unused = timer.schedule(next, this::expire);
    }
    reports.forEach(each -> each.sender.tell(Frames.expire(each.target, each.sender.id())));
  }

  private void deliver(PeerSocket from, String target, String dst, String type, Json message) {
    if (!from.isOpen()) {
      return;
    }
    var unused =
        from.channel()
            .send(new Message(from.address(), target, message))
            .thenAccept(
                delivery -> {
                  if (delivery instanceof Delivery.Refused && Frames.isAwaited(type)) {
                    from.tell(Frames.expire(dst, from.id()));
                  }
                });
  }

  /** Returns the channel of the client with an id, or null if there is none. */
  @Nullable Channel findChannel(String id) {
    PeerSocket socket = byId.get(id);
    return socket == null ? null : broker.findChannel(socket.channel().id());
  }

  /**
   * Returns the ids whose sessions a caller may see, at most 1,000 of the first {@value #MAX_PAGES}
   * pages of the list. The settings must have a tag.
   *
   * @throws RefusedException what the access policy says
   */
  List<String> list(Caller caller) {
    TagFilter filter = TagFilter.parse(Objects.requireNonNull(settings.tag(), "tag"));
    Broker view = broker.forCaller(caller);
    List<String> ids = new ArrayList<>();
    String after = null;
    for (int pages = 0; pages < MAX_PAGES; pages++) {
      Page page = view.list(filter, Page.DEFAULT_LIMIT, after);
      for (ListedSession session : page.sessions()) {
        String id = names.get(session.id());
        // Others may use the tag as well.
        if (id != null && ids.size() < MAX_IDS) {
          ids.add(id);
        }
      }
      after = page.next();
      if (after == null || ids.size() == MAX_IDS) {
        break;
      }
    }
    return ids;
  }

  /** Returns an id that nobody has now; it is not reserved. */
  String unusedId() {
    return UUID.randomUUID().toString();
  }

  /** Closes all connections that are yet to be closed. */
  void close() {
    SocketConnection.closeAll(open.stream().map(PeerSocket::connection).toList());
  }

  /** Returns how many frames wait, for tests. */
  int waiting() {
    synchronized (lock) {
      return waiting.size();
    }
  }

  /**
   * Returns how much is remembered of clients that have not left, and of what they have waiting: 0
   * once all have left. For tests.
   */
  int remembered() {
    synchronized (lock) {
      return byId.size() + names.size() + open.size() + waiting.remembered();
    }
  }

  /** Returns whether a client has an id, for tests. */
  boolean isTaken(String id) {
    return byId.containsKey(Objects.requireNonNull(id, "id"));
  }
}
