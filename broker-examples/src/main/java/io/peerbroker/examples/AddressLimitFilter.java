package io.peerbroker.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.peerbroker.core.Broker;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpSettings;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.jspecify.annotations.Nullable;

/**
 * Without a proxy that does it: how is one address kept from taking everything?
 *
 * <p>A filter in front of the broker's servlet. An address has so many requests open at one time,
 * its streams among them, and makes so many a second; beyond either it is answered {@code 429}.
 * Channels, sessions and messages all take requests, so this bounds them too for a client that
 * opens one channel after another.
 *
 * <p>A client of IPv6 has a whole network of addresses, so its first 64 bits count as one. Many
 * people may share an address of IPv4: be generous.
 *
 * <p>It needs no thread and no timer. It remembers a bounded number of addresses, only for as long
 * as they matter; when there are more, the new ones share one allowance.
 */
public final class AddressLimitFilter implements Filter {

  private static final int MAX_ADDRESSES = 100_000;
  private static final long SECOND = 1_000_000_000;

  private final int maxOpen;
  private final long nanosPerRequest;
  private final long burstNanos;
  private final boolean behindProxy;
  private final int maxAddresses;
  private final LongSupplier clock;

  // Guarded by this, as all the addresses are.
  private final Map<String, Address> addresses = new HashMap<>();
  private final Address others;
  private long sweptAt;

  /**
   * A filter with these bounds for each address.
   *
   * @param maxOpen requests at one time; each stream is one
   * @param perSecond requests in the long run, 1 to 1,000,000
   * @param burst requests at once, 1 to 1,000,000
   * @param behindProxy whether every request comes through a proxy that appends its client's
   *     address, without a port, to {@code X-Forwarded-For}. Else that header is whatever a client
   *     has made up
   */
  public AddressLimitFilter(int maxOpen, int perSecond, int burst, boolean behindProxy) {
    this(maxOpen, perSecond, burst, behindProxy, MAX_ADDRESSES, System::nanoTime);
  }

  AddressLimitFilter(
      int maxOpen,
      int perSecond,
      int burst,
      boolean behindProxy,
      int maxAddresses,
      LongSupplier clock) {
    if (maxOpen < 1 || perSecond < 1 || perSecond > 1_000_000 || burst < 1 || burst > 1_000_000) {
      throw new IllegalArgumentException(
          "maxOpen, perSecond and burst must be at least 1, the last two at most 1000000");
    }
    this.maxOpen = maxOpen;
    nanosPerRequest = SECOND / perSecond;
    burstNanos = nanosPerRequest * burst;
    this.behindProxy = behindProxy;
    this.maxAddresses = maxAddresses;
    this.clock = clock;
    sweptAt = clock.getAsLong();
    others = new Address(sweptAt);
  }

  /**
   * Serves a broker behind this filter until the process is terminated.
   *
   * @param args the port; 8080 if there is none
   */
  public static void main(String[] args) throws Exception {
    Program.run(
        program -> {
          Broker broker = Broker.builder().openToEverybody().build();
          HttpSettings settings = HttpSettings.openToEverybody();
          var site = site(broker, settings, new AddressLimitFilter(64, 50, 200, false));
          int port = args.length > 0 ? Integer.parseInt(args[0]) : 8080;
          var server = new JettyServer("127.0.0.1", port, settings.heartbeat(), site);
          program.serve(
              server, broker::close, address -> System.out.println("listening on " + address));
        });
  }

  /** The broker at {@code /broker}, with the filter before it and nothing else. */
  static ServletContextHandler site(
      Broker broker, HttpSettings settings, AddressLimitFilter filter) {
    var site = new ServletContextHandler("/");
    var holder = new FilterHolder(filter);
    // Streams outlive the call of the filter; without this, none could begin.
    holder.setAsyncSupported(true);
    site.addFilter(holder, "/broker/*", EnumSet.of(DispatcherType.REQUEST));
    var servlet = new ServletHolder(new BrokerServlet(broker, settings));
    servlet.setAsyncSupported(true);
    site.addServlet(servlet, "/broker/*");
    return site;
  }

  /** Hands a request on, or refuses it. */
  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    Address address = enter(addressOf((HttpServletRequest) request));
    if (address == null) {
      refuse((HttpServletResponse) response);
      return;
    }
    var place = new Place(address);
    try {
      chain.doFilter(request, response);
      if (request.isAsyncStarted()) {
        request.getAsyncContext().addListener(place);
        return;
      }
    } catch (Throwable failed) {
      place.leave();
      throw failed;
    }
    place.leave();
  }

  private static void refuse(HttpServletResponse response) throws IOException {
    response.setStatus(429);
    response.setHeader("Retry-After", "1");
    response.setContentType("application/problem+json");
    response
        .getOutputStream()
        .write(
            """
            {"type":"about:blank","title":"Too Many Requests","status":429,"code":"rate_limited",\
            "detail":"This address has too many requests open, or makes too many a second."}"""
                .getBytes(UTF_8));
  }

  /** Returns the client's address as a key of the map; a text of bounded length. */
  private String addressOf(HttpServletRequest request) {
    String address = request.getRemoteAddr();
    if (behindProxy) {
      List<String> lines = Collections.list(request.getHeaders("X-Forwarded-For"));
      // What stands before the last comma, or in an earlier line, the proxy has only passed on.
      String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
      String told = last.substring(last.lastIndexOf(',') + 1).strip();
      address = told.isEmpty() ? address : told;
    }
    return network(address.length() > 64 ? address.substring(0, 64) : address);
  }

  /**
   * The network that an address of IPv6 is in; an address of IPv4 as it is, also where it is
   * written as one of IPv6 ({@code ::ffff:192.0.2.1}, RFC 4291), which is the same client.
   */
  private static String network(String address) {
    if (address.indexOf(':') < 0) {
      return address;
    }
    String bare = address.startsWith("[") ? address.substring(1, address.length() - 1) : address;
    try {
      // In brackets and with a colon it is read as an address or not at all, never looked up.
      InetAddress read = InetAddress.getByName("[" + bare + "]");
      return read instanceof Inet4Address
          ? read.getHostAddress()
          : HexFormat.of().formatHex(read.getAddress(), 0, 8);
    } catch (UnknownHostException noAddress) {
      return address;
    }
  }

  /** Counts a request in; null if its address has no room for it. */
  private synchronized @Nullable Address enter(String who) {
    long now = clock.getAsLong();
    Address address = addresses.get(who);
    if (address == null) {
      // At most once a second: otherwise a client with many addresses could keep it sweeping.
      if (addresses.size() >= maxAddresses && now - sweptAt >= SECOND) {
        sweptAt = now;
        addresses.values().removeIf(known -> known.open == 0 && known.earned(now) == burstNanos);
      }
      if (addresses.size() < maxAddresses) {
        address = new Address(now);
        addresses.put(who, address);
      } else {
        address = others;
      }
    }
    long earned = address.earned(now);
    if (address.open == maxOpen || earned < nanosPerRequest) {
      return null;
    }
    address.earned = earned - nanosPerRequest;
    address.lookedAt = now;
    address.open++;
    return address;
  }

  private synchronized void leave(Address address) {
    address.open--;
  }

  /**
   * The open requests of one address, and the requests that it has earned since. Guarded by the
   * filter.
   */
  private final class Address {
    int open;
    long earned = burstNanos;
    long lookedAt;

    Address(long now) {
      lookedAt = now;
    }

    long earned(long now) {
      return Math.min(burstNanos, earned + (now - lookedAt));
    }
  }

  /** The place that one request takes of its address, until it is over. */
  private final class Place implements AsyncListener {
    private final Address address;
    private final AtomicBoolean left = new AtomicBoolean();

    Place(Address address) {
      this.address = address;
    }

    void leave() {
      if (!left.getAndSet(true)) {
        AddressLimitFilter.this.leave(address);
      }
    }

    /** However a request ends, the container calls this. */
    @Override
    public void onComplete(AsyncEvent event) {
      leave();
    }

    @Override
    public void onTimeout(AsyncEvent event) {}

    @Override
    public void onError(AsyncEvent event) {}

    /** Begun anew, it has lost its listeners. */
    @Override
    public void onStartAsync(AsyncEvent event) {
      event.getAsyncContext().addListener(this);
    }
  }
}
