package io.peerbroker.it.clients;

import java.net.URI;
import java.util.List;

/** A third-party reader of event streams, with what a program that uses it has to add. */
interface Client extends AutoCloseable {

  /**
   * An event as it was handed to the program.
   *
   * @param lastEventId the id that the client would come back with
   */
  record Seen(String name, String data, String lastEventId) {}

  /** One stream, with all connections that the client makes for it. */
  interface Stream {

    /** The events so far. */
    List<Seen> seen();

    /** Whether the client has given it up, and reports that. */
    boolean isGivenUp();
  }

  Stream open(URI uri);

  @Override
  void close();
}
