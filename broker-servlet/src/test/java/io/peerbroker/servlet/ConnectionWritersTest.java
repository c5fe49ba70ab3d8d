package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.test.FakeTimer;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

/** Which streams belong to one connection, and for how long that is known. */
final class ConnectionWritersTest {

  private final ConnectionWriters connections = new ConnectionWriters(new FakeTimer());

  private static HttpServletRequest request(String address, int port) {
    return (HttpServletRequest)
        Proxy.newProxyInstance(
            ConnectionWritersTest.class.getClassLoader(),
            new Class<?>[] {HttpServletRequest.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getRemoteAddr" -> address;
                  case "getRemotePort" -> port;
                  default -> throw new AssertionError(method);
                });
  }

  @Test
  void anAddressAndAPortAreAConnection() {
    ConnectionWriter first = connections.join(request("192.0.2.1", 50_000));
    assertThat(connections.join(request("192.0.2.1", 50_000))).isSameAs(first);
    assertThat(connections.join(request("192.0.2.1", 50_001))).isNotSameAs(first);
    assertThat(connections.join(request("192.0.2.2", 50_000))).isNotSameAs(first);
  }

  @Test
  void whatAFilterClaimsChangesNothing() {
    ConnectionWriter first = connections.join(request("192.0.2.1", 50_000));
    HttpServletRequest wrapped =
        new HttpServletRequestWrapper(request("192.0.2.1", 50_000)) {
          @Override
          public String getRemoteAddr() {
            return "198.51.100.1";
          }
        };
    assertThat(connections.join(wrapped)).isSameAs(first);
  }

  @Test
  void withoutAPortEachStreamStandsAlone() {
    ConnectionWriter first = connections.join(request("", 0));
    assertThat(connections.join(request("", 0))).isNotSameAs(first);
  }

  @Test
  void aConnectionIsForgottenWithItsLastStream() {
    ConnectionWriter writer = connections.join(request("192.0.2.1", 50_000));
    connections.join(request("192.0.2.1", 50_000));
    connections.leave(writer);
    assertThat(connections.size()).isOne();
    assertThat(connections.join(request("192.0.2.1", 50_000))).isSameAs(writer);
    connections.leave(writer);
    connections.leave(writer);
    assertThat(connections.size()).isZero();
  }
}
