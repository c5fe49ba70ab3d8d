package io.peerbroker.it.clients;

import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.background.BackgroundEventHandler;
import com.launchdarkly.eventsource.background.BackgroundEventSource;
import com.launchdarkly.eventsource.background.ConnectionErrorHandler;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * okhttp-eventsource as its documentation begins: in the background, with its own way of coming
 * back.
 */
final class LaunchDarklyClient implements Client {

  private final List<BackgroundEventSource> sources = new CopyOnWriteArrayList<>();

  @Override
  public Stream open(URI uri) {
    Log log = new Log();
    AtomicBoolean isSuperseded = new AtomicBoolean();
    BackgroundEventHandler handler =
        new BackgroundEventHandler() {
          @Override
          public void onOpen() {}

          @Override
          public void onClosed() {}

          @Override
          public void onMessage(String name, MessageEvent event) {
            log.add(name, event.getData(), event.getLastEventId());
            if (name.equals("close") && event.getData().contains("\"superseded\"")) {
              isSuperseded.set(true);
            }
          }

          @Override
          public void onComment(String comment) {}

          @Override
          public void onError(Throwable thrown) {}
        };
    EventSource.Builder builder =
        new EventSource.Builder(ConnectStrategy.http(uri)).retryDelay(500, TimeUnit.MILLISECONDS);
    // A close() while the stream ends is overlooked, so the next attempt is refused instead. Events
    // are handled in place, before that is asked.
    BackgroundEventSource source =
        new BackgroundEventSource.Builder(handler, builder)
            .eventsExecutor(Runnable::run)
            .connectionErrorHandler(
                failure ->
                    isSuperseded.get()
                        ? ConnectionErrorHandler.Action.SHUTDOWN
                        : ConnectionErrorHandler.Action.PROCEED)
            .build();
    sources.add(source);
    source.start();
    return log;
  }

  @Override
  public void close() {
    sources.forEach(BackgroundEventSource::close);
  }
}
