package io.peerbroker.tck;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.IceConfiguration;
import io.peerbroker.core.IceServer;
import io.peerbroker.core.Message;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import io.peerbroker.core.Scope;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The policy of the servers that {@link AdmissionRules} tests: it decides by a word that a caller
 * shows.
 *
 * <p>{@code stranger} may do nothing, {@code later} nothing yet, and at {@code broken} the policy
 * fails. Any other word is the name of a tenant, and only that tenant sees its sessions. A caller
 * without a word sees the sessions of all tenants. No caller sees a session tagged {@code hidden}.
 *
 * @param word the word that a caller shows, or null
 */
public record KitPolicy(Function<Caller, @Nullable String> word) implements AccessPolicy {

  /** The header that a word comes in. */
  public static final String HEADER = "X-Word";

  /** The cookie that a word comes in. */
  public static final String COOKIE = "word";

  /** The parameter of the query that a word comes in. */
  public static final String PARAMETER = "access_token";

  /** Returns the word of a caller, from these three places of its request. */
  public static @Nullable String wordOf(
      @Nullable String header, @Nullable String cookie, @Nullable String parameter) {
    return header != null ? header : cookie != null ? cookie : parameter;
  }

  /**
   * Returns a broker with this policy, whose callers get ICE servers by their words: {@code
   * unrelayed} is denied them, at {@code unplugged} they fail, another word is in the URL of the
   * server, and a caller without a word gets none.
   *
   * @param word the word that a caller shows, or null
   */
  public static Broker broker(Function<Caller, @Nullable String> word) {
    return Broker.builder()
        .accessPolicy(new KitPolicy(word))
        .iceServers(caller -> iceServers(Objects.requireNonNullElse(word.apply(caller), "")))
        .build();
  }

  private static IceConfiguration iceServers(String word) {
    return switch (word) {
      case "" -> IceConfiguration.none();
      case "unrelayed" -> throw AccessPolicy.denied("No servers for you.");
      case "unplugged" -> throw new AssertionError("The kit's servers fail on purpose: swordfish");
      default ->
          new IceConfiguration(
              List.of(IceServer.of("stun:" + word + ".example")), Duration.ofMinutes(5));
    };
  }

  @Override
  public void open(Caller caller, ChannelOptions options) {
    tenant(caller);
  }

  @Override
  public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
    return spec.withTags(withTenant(spec.tags(), tenant(caller)));
  }

  @Override
  public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
    String tenant = tenant(caller);
    List<String> tags = update.tags();
    return tags == null ? update : update.withTags(withTenant(tags, tenant));
  }

  private static List<String> withTenant(List<String> tags, String tenant) {
    return Stream.concat(
            tags.stream().filter(tag -> !tag.startsWith("tenant:")),
            tenant.isEmpty() ? Stream.of() : Stream.of("tenant:" + tenant))
        .toList();
  }

  @Override
  public void send(Caller caller, Message message) {
    tenant(caller);
  }

  @Override
  public Scope scope(Caller caller, TagFilter filter) {
    String tenant = tenant(caller);
    Scope scope = tenant.isEmpty() ? Scope.all() : Scope.tagged("tenant:" + tenant);
    return scope.where(session -> !session.tags().contains("hidden"));
  }

  /** The name of the caller's tenant, or an empty text. */
  private String tenant(Caller caller) {
    String shown = Objects.requireNonNullElse(word.apply(caller), "");
    return switch (shown) {
      case "stranger" -> throw AccessPolicy.denied("Strangers may do nothing here.");
      case "later" ->
          throw new RefusedException(
              new Refusal(Refusal.Code.RATE_LIMITED, "Not yet.", Duration.ofSeconds(7)));
      case "broken" -> throw new AssertionError("The kit's policy fails on purpose: swordfish");
      default -> shown;
    };
  }
}
