package io.peerbroker.it.clients;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.sse.EventSource;
import okhttp3.sse.EventSourceListener;
import okhttp3.sse.EventSources;

/** okhttp-sse with the part that it leaves to the program: coming back, with the last id. */
final class OkHttpSseClient implements Client {

  private final OkHttpClient http =
      new OkHttpClient.Builder().readTimeout(Duration.ZERO).retryOnConnectionFailure(false).build();

  {
    // An open stream counts as a request under way; by default OkHttp has five to a host.
    http.dispatcher().setMaxRequestsPerHost(64);
  }

  private final EventSource.Factory factory = EventSources.createFactory(http);
  private final ScheduledExecutorService pauses = Executors.newSingleThreadScheduledExecutor();

  @Override
  public Stream open(URI uri) {
    Log log = new Log();
    new Reader(uri, log).connect();
    return log;
  }

  private final class Reader extends EventSourceListener {
    private final URI uri;
    private final Log log;
    private volatile String lastEventId = "";
    private volatile boolean stay;

    Reader(URI uri, Log log) {
      this.uri = uri;
      this.log = log;
    }

    void connect() {
      Request.Builder request = new Request.Builder().url(uri.toString());
      if (!lastEventId.isEmpty()) {
        request.header("Last-Event-ID", lastEventId);
      }
      factory.newEventSource(request.build(), this);
    }

    @Override
    public void onEvent(EventSource source, String id, String type, String data) {
      // Null for an event without an id: the one before it stands.
      lastEventId = id == null ? lastEventId : id;
      log.add(type == null ? "message" : type, data, lastEventId);
      if ("close".equals(type) && data.contains("\"superseded\"")) {
        stay = true;
        source.cancel();
      }
    }

    @Override
    public void onClosed(EventSource source) {
      comeBack();
    }

    @Override
    public void onFailure(EventSource source, Throwable thrown, Response response) {
      if (response != null && response.code() != 200) {
        log.giveUp();
      } else {
        comeBack();
      }
    }

    private void comeBack() {
      if (!stay) {
        try {
          var unused = pauses.schedule(this::connect, 500, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException over) {
          // the test is over
        }
      }
    }
  }

  @Override
  public void close() {
    pauses.shutdownNow();
    http.dispatcher().cancelAll();
    http.dispatcher().executorService().shutdown();
    http.connectionPool().evictAll();
  }
}
