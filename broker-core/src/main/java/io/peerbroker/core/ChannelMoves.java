package io.peerbroker.core;

import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Takes channels out of a broker, and continues those that come from another one, or come back.
 *
 * <p>Safe for use by many threads.
 */
final class ChannelMoves {

  private final LocalChannel.Parts parts;

  ChannelMoves(LocalChannel.Parts parts) {
    this.parts = parts;
  }

  /**
   * Takes out the channel that an event came from, for a reader that continues after that event. In
   * one step the channel accepts nothing more and its sessions are gone; what it had accepted is in
   * the state. Its stream ends as superseded. Senders and listeners are not notified: for them the
   * channel goes on.
   */
  Release release(ResumeId seen) {
    LocalChannel channel = parts.directory.channel(seen.cid());
    if (channel == null) {
      return Release.Refused.UNKNOWN;
    }
    ChannelConnection connection = channel.connection();
    if (!connection.isResumable()) {
      return Release.Refused.NOT_RESUMABLE;
    }
    if (!connection.isMine(seen)) {
      return Release.Refused.WRONG_SECRET;
    }
    Leaving leaving = new Leaving(channel, seen, parts.timer.nanoTime());
    try {
      parts.directory.release(channel, leaving);
    } catch (RuntimeException | Error failed) {
      if (!leaving.hasLeft()) {
        throw failed;
      }
      ForeignCalls.log("Not all watches have learned that a channel has moved", failed);
    }
    if (leaving.hasLeft()) {
      // Of all that follows, nothing may be thrown: it would take the channel with it.
      ForeignCalls.runLogged(() -> leaving.grace = connection.graceLeft());
      ForeignCalls.runLogged(() -> leaving.lists = connection.takeLists());
      ForeignCalls.runLogged(() -> connection.end(CloseReason.SUPERSEDED));
      channel.lifecycle.notifyListeners();
    }
    return leaving.result();
  }

  /** What a channel leaves with, from the step in which it leaves. */
  private static final class Leaving implements Predicate<List<LocalSession>> {
    private final LocalChannel channel;
    private final ResumeId seen;
    private final long now;

    /** Why the channel stays; until the step is made, since it is not open. */
    private Release.Refused refused = Release.Refused.UNKNOWN;

    /** What is in its queue; null if it stays. */
    private ChannelState.@Nullable Queue queue;

    private long messageTokens;
    private long sessionTokens;
    private List<ChannelState.MovedSession> sessions = List.of();
    private ChannelState.@Nullable Answered lastAnswer;

    // Set after the step: by then nothing changes them.
    private Duration grace = Duration.ZERO;
    private ChannelState.Lists lists = ChannelState.Lists.NONE;

    Leaving(LocalChannel channel, ResumeId seen, long now) {
      this.channel = channel;
      this.seen = seen;
      this.now = now;
    }

    /** The step, under the directory's lock. */
    @Override
    public boolean test(List<LocalSession> hosted) {
      // Everything else first: it changes nothing, and may fail without memory.
      sessions =
          hosted.stream()
              .map(each -> new ChannelState.MovedSession(each.id(), each.state()))
              .toList();
      messageTokens = channel.messages.earned(now);
      sessionTokens = channel.sessionChanges.earned(now);
      Outbox.TakenOut taken = channel.connection().outbox.takeOut(seen.number());
      queue = taken.queue();
      // Not before: a request could be performed in between, and again when it is repeated.
      lastAnswer = channel.lastAnswer.state();
      refused =
          switch (taken.result()) {
            case TOO_OLD -> Release.Refused.TOO_OLD;
            case NEVER_GIVEN -> Release.Refused.NEVER_GIVEN;
            case DONE, CLOSED -> Release.Refused.UNKNOWN;
          };
      return hasLeft();
    }

    boolean hasLeft() {
      return queue != null;
    }

    Release result() {
      return queue == null ? refused : new Release.Done(state(queue));
    }

    private ChannelState state(ChannelState.Queue taken) {
      return new ChannelState(
          channel.id(),
          channel.key(),
          seen.secret(),
          channel.owner(),
          channel.connection().resume(),
          channel.connection().lease(),
          grace,
          messageTokens,
          sessionTokens,
          taken,
          sessions,
          lists,
          lastAnswer);
    }
  }

  /**
   * Continues a channel here, with a stream that goes on after the last event that the reader has
   * seen. The stream is attached. The caller connects it ({@link OpenStreams#connect}) and begins
   * the lists on it ({@link ChannelConnection#watchAgain}), or detaches it if it cannot. If this
   * fails, nothing has happened, and the state may be used again.
   *
   * @throws RefusedException {@code at_capacity} if there is no room for the channel, its events or
   *     its sessions; {@code shutting_down}
   * @throws IllegalStateException if the channel is here already
   */
  ChannelConnection.Stream adopt(ChannelState state) {
    return adopt(state, /* attached= */ true);
  }

  /**
   * Continues a channel here, without a stream: it waits for its reader for as long as is left of
   * its grace. If this fails, nothing has happened, and the state may be used again.
   *
   * @throws RefusedException as {@link #adopt(ChannelState)}
   * @throws IllegalStateException if the channel is here already, or the timer rejects the task
   *     that ends the grace
   */
  void adoptWaiting(ChannelState state) {
    ChannelConnection.Stream unused = adopt(state, /* attached= */ false);
  }

  private ChannelConnection.Stream adopt(ChannelState state, boolean attached) {
    parts.streams.checkRunning();
    LocalChannel channel = new LocalChannel(parts, state);
    ChannelConnection connection = channel.connection();
    ChannelConnection.Stream stream = null;
    boolean adopted = false;
    try {
      if (!connection.outbox.fill(state.queue())) {
        throw new RefusedException(Refusals.queuesFull());
      }
      stream = connection.new Stream(parts.streams.take(parts.streams.channels));
      if (attached) {
        // As for a new channel: whatever ends the broker knows of the stream before it can end.
        parts.streams.add(stream);
        attach(connection, stream, state.queue().seen());
      } else {
        connection.await(stream, state.grace());
      }
      if (!state.lists().equals(ChannelState.Lists.NONE)) {
        connection.watches().restore(state.lists());
      }
      enter(channel, state);
      adopted = true;
    } finally {
      if (!adopted) {
        drop(connection, stream);
      }
    }
    if (parts.streams.isClosing()) {
      // One that close() has not seen is closed here.
      channel.end(CloseReason.SHUTTING_DOWN);
    }
    return stream;
  }

  /** Makes the channel findable, with its sessions, in one step. */
  private void enter(LocalChannel channel, ChannelState state) {
    try {
      parts.directory.adopt(channel, state.sessions());
    } catch (RuntimeException | Error failed) {
      if (parts.directory.channel(channel.id()) != channel) {
        throw failed;
      }
      ForeignCalls.log("Not all watches have learned that a channel has come", failed);
    }
  }

  private static void attach(
      ChannelConnection connection, ChannelConnection.Stream stream, long seen) {
    Outbox.AttachResult result = connection.attach(stream, seen);
    if (result != Outbox.AttachResult.DONE) {
      throw new IllegalStateException("The state of a channel contradicts itself: " + result);
    }
  }

  /** Drops a channel that could not be adopted: it is still in its state. */
  private static void drop(
      ChannelConnection connection, ChannelConnection.@Nullable Stream stream) {
    connection.outbox.moveAway();
    connection.end(CloseReason.SUPERSEDED);
    if (stream != null) {
      stream.detach(CloseReason.GONE);
    }
  }
}
