package io.peerbroker.it.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;

/** A client that puts all its requests onto one HTTP/2 connection, as a browser does. */
final class Http2Client {

  private static final Duration BOUND = Duration.ofSeconds(20);

  private final URI base;
  private final HttpClient client;

  /** Connects, so that later requests find a connection to share. */
  Http2Client(URI base, SSLContext trust) throws IOException, InterruptedException {
    this.base = base;
    this.client =
        HttpClient.newBuilder()
            .version(Version.HTTP_2)
            .sslContext(trust)
            .connectTimeout(BOUND)
            .build();
    HttpResponse<String> list =
        client.send(request("/list").timeout(BOUND).build(), BodyHandlers.ofString());
    assertThat(list.statusCode()).isEqualTo(200);
    assertThat(list.version()).isEqualTo(Version.HTTP_2);
  }

  /** Begins to open a stream, with a header of the caller's. */
  Stream openStream(String path, String name, String value) {
    Stream stream = new Stream();
    HttpRequest request =
        request(path)
            .header("Accept", "text/event-stream")
            .header(name, value)
            .header("Accept-Encoding", "gzip, deflate, br")
            .build();
    var unused =
        client
            .sendAsync(request, info -> BodySubscribers.fromLineSubscriber(stream))
            .exceptionally(
                failure -> {
                  stream.lines.add("failed: " + failure);
                  return null;
                });
    return stream;
  }

  /** Posts JSON. */
  CompletableFuture<HttpResponse<String>> post(String path, String json) {
    HttpRequest request =
        request(path)
            .timeout(BOUND)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json))
            .build();
    return client.sendAsync(request, BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(base + path));
  }

  /** An event stream, line by line. */
  static final class Stream implements Flow.Subscriber<String>, AutoCloseable {

    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

    /** Waits for the next line that passes; lines before it are skipped. */
    String await(Predicate<String> wanted, Duration bound) throws InterruptedException {
      long deadline = System.nanoTime() + bound.toNanos();
      while (true) {
        String line = lines.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        assertThat(line).as("what was waited for comes within %s", bound).isNotNull();
        if (wanted.test(line)) {
          return line;
        }
      }
    }

    /** Waits for the next event's data. */
    JsonObject awaitData(Duration bound) throws InterruptedException {
      String line = await(each -> each.startsWith("data: "), bound);
      return JsonParser.parseString(line.substring("data: ".length())).getAsJsonObject();
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription.complete(subscription);
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(String line) {
      lines.add(line);
    }

    @Override
    public void onError(Throwable failure) {
      lines.add("failed: " + failure);
    }

    @Override
    public void onComplete() {
      lines.add("ended");
    }

    /** Goes away from this stream; the connection stays. */
    @Override
    public void close() {
      var unused = subscription.thenAccept(Flow.Subscription::cancel);
    }
  }
}
