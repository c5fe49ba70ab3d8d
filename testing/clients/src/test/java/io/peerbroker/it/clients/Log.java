package io.peerbroker.it.clients;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A stream's events as they come, for clients in this process. */
final class Log implements Client.Stream {

  private final List<Client.Seen> seen = new CopyOnWriteArrayList<>();
  private volatile boolean givenUp;

  void add(String name, String data, String lastEventId) {
    seen.add(new Client.Seen(name, data, lastEventId));
  }

  void giveUp() {
    givenUp = true;
  }

  @Override
  public List<Client.Seen> seen() {
    return List.copyOf(seen);
  }

  @Override
  public boolean isGivenUp() {
    return givenUp;
  }
}
