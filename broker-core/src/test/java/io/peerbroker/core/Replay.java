package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A watcher that replays its events, and records those that must never come. */
final class Replay implements Watcher {

  private final Map<String, ListedSession> held = new LinkedHashMap<>();
  private final List<String> told = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private CloseReason closed;

  @Override
  public synchronized void added(ListedSession session) {
    note("add " + session.tags());
    held.put(session.id(), session);
  }

  @Override
  public synchronized void removed(String sid) {
    ListedSession gone = held.remove(sid);
    note("remove " + (gone == null ? sid : gone.tags()));
    if (gone == null) {
      wrong.add("removed without having been added: " + sid);
    }
  }

  @Override
  public synchronized void ready(int count) {
    if (told.stream().anyMatch(event -> event.startsWith("ready"))) {
      wrong.add("ready twice");
    }
    note("ready " + count);
    if (count != held.size()) {
      wrong.add("ready said " + count + " where " + held.size() + " are held");
    }
  }

  @Override
  public synchronized void closed(CloseReason reason) {
    note("closed " + reason);
    closed = reason;
  }

  private void note(String event) {
    if (closed != null) {
      wrong.add(event + " after the end");
    }
    told.add(event);
  }

  /** The events, as {@code add [tags]}, {@code remove [tags]}, {@code ready n}. */
  synchronized List<String> told() {
    return List.copyOf(told);
  }

  synchronized CloseReason closed() {
    return closed;
  }

  synchronized boolean isReady() {
    return told.stream().anyMatch(event -> event.startsWith("ready"));
  }

  /** The list after the events so far. */
  synchronized List<ListedSession> held() {
    return List.copyOf(held.values());
  }

  synchronized void assertNothingWrong() {
    assertThat(wrong).isEmpty();
  }
}
