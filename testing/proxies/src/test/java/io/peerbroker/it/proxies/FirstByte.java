package io.peerbroker.it.proxies;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;

/** Whether there is any answer at all. */
final class FirstByte {

  private FirstByte() {}

  /** Asks for a stream; complete with the status when its headers have come. */
  static CompletableFuture<Integer> of(URI stream) {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    HttpRequest request =
        HttpRequest.newBuilder(stream).header("Accept", "text/event-stream").build();
    return client
        .sendAsync(request, BodyHandlers.ofInputStream())
        .thenApply(response -> response.statusCode());
  }
}
