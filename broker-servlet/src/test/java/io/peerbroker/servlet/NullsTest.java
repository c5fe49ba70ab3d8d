package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.servlet.SocketUpgrade.Handshake;
import io.peerbroker.test.FakeTimer;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A null that is not permitted is refused at once, with the parameter's name. */
final class NullsTest {

  private final Broker broker =
      Broker.builder().timer(new FakeTimer()).drainTimeout(Duration.ZERO).build();
  private final HttpSettings settings = HttpSettings.defaults();
  private final HttpServletRequest request = untouched(HttpServletRequest.class);
  private final HttpServletResponse response = untouched(HttpServletResponse.class);

  /** How many nulls have been refused. */
  private int refused;

  @AfterEach
  void close() {
    broker.close();
  }

  /** Objects that must not be used before everything is checked; a caller's headers are read. */
  private static <T> T untouched(Class<T> type) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              throw new AssertionError(method + " was called");
            }));
  }

  private static HttpServletRequest empty() {
    return (HttpServletRequest)
        Proxy.newProxyInstance(
            NullsTest.class.getClassLoader(),
            new Class<?>[] {HttpServletRequest.class},
            (proxy, method, arguments) ->
                method.getReturnType().getName().equals("java.util.Enumeration")
                    ? Collections.emptyEnumeration()
                    : null);
  }

  private void refuses(String name, Runnable call) {
    assertThatNullPointerException()
        .as(name)
        .isThrownBy(call::run)
        .satisfies(thrown -> assertThat(thrown.getMessage()).isEqualTo(name));
    refused++;
  }

  @Test
  @DisplayName("All public members, each parameter except those that may be null.")
  void all() throws Exception {
    servlets();
    callers();
    settings();
    handshake();
    assertThat(refused).as("nulls tried, of %s", mandatory()).isEqualTo(mandatory().size());
  }

  private void servlets() {
    BrokerHttp http = new BrokerHttp(broker, settings);
    refuses("broker", () -> new BrokerHttp(null, settings));
    refuses("settings", () -> new BrokerHttp(broker, null));
    refuses("request", () -> http.handle(null, response));
    refuses("response", () -> http.handle(request, null));
    refuses("request", () -> http.handle(null, response, null));
    refuses("response", () -> http.handle(request, null, null));
    refuses("broker", () -> new BrokerServlet(null));
    refuses("broker", () -> new BrokerServlet(null, settings));
    refuses("settings", () -> new BrokerServlet(broker, null));
  }

  private void callers() {
    refuses("request", () -> HttpCaller.of(null));
    refuses("headers", () -> HttpCaller.of(null, null, null, null));
    HttpCaller caller = HttpCaller.of(empty());
    refuses("name", () -> caller.header(null));
    refuses("name", () -> caller.headers(null));
    refuses("name", () -> caller.queryParameter(null));
    refuses("name", () -> caller.cookie(null));
  }

  private void handshake() {
    Caller caller = Caller.trusted();
    ChannelOptions options = ChannelOptions.none();
    refuses("request", () -> SocketUpgrade.isHandshake(null));
    refuses("request", () -> new Handshake(null, response, caller, caller, options));
    refuses("response", () -> new Handshake(request, null, caller, caller, options));
    refuses("opening", () -> new Handshake(request, response, null, caller, options));
    refuses("acting", () -> new Handshake(request, response, caller, null, options));
    refuses("options", () -> new Handshake(request, response, caller, caller, null));
  }

  private void settings() {
    refuses("params", () -> BrokerServlet.settingsOf(null));
    refuses("request", () -> settings.admits(null));
    refuses("heartbeat", () -> settings.withHeartbeat(null));
    refuses("retry", () -> settings.withRetry(null));
    refuses("writeTimeout", () -> settings.withWriteTimeout(null));
    refuses("bodyTimeout", () -> settings.withBodyTimeout(null));
    refuses("origins", () -> settings.withAllowedOrigins((String[]) null));
    refuses("headers", () -> settings.withAllowedHeaders((String[]) null));
    refuses("context", () -> settings.withContext(null));
  }

  @Test
  @DisplayName("A null among origins, and among headers.")
  void amongOthers() {
    refuses("allowedOrigins", () -> settings.withAllowedOrigins("https://example.org", null));
    refuses("allowedHeaders", () -> settings.withAllowedHeaders("Authorization", null));
  }

  /** Returns the parameters of all public members that must not be null, from the class files. */
  private static List<String> mandatory() throws IOException, ClassNotFoundException {
    List<String> mandatory = new ArrayList<>();
    for (Class<?> type : publicTypes()) {
      List<Executable> executables = new ArrayList<>(List.of(type.getDeclaredConstructors()));
      executables.addAll(List.of(type.getDeclaredMethods()));
      for (Executable executable : executables) {
        if (!Modifier.isPublic(executable.getModifiers())
            || executable.isSynthetic()
            // What another module implements is that module's.
            || Modifier.isAbstract(executable.getModifiers())
            || executable.getName().equals("equals")) {
          continue;
        }
        for (Parameter parameter : executable.getParameters()) {
          if (!parameter.getType().isPrimitive()
              && !parameter.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
            mandatory.add(executable + ": " + parameter);
          }
        }
      }
    }
    return mandatory;
  }

  private static List<Class<?>> publicTypes() throws IOException, ClassNotFoundException {
    Path sources = Path.of("src/main/java/io/peerbroker/servlet");
    List<String> names;
    try (Stream<Path> files = Files.list(sources)) {
      names = files.map(file -> file.getFileName().toString().replace(".java", "")).toList();
    }
    List<Class<?>> types = new ArrayList<>();
    for (String name : names) {
      if (!name.equals("package-info")) {
        Class<?> type = Class.forName("io.peerbroker.servlet." + name);
        types.add(type);
        types.addAll(Arrays.asList(type.getDeclaredClasses()));
      }
    }
    types.removeIf(type -> !Modifier.isPublic(type.getModifiers()));
    return types;
  }
}
