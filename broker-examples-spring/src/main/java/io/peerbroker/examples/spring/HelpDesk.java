package io.peerbroker.examples.spring;

import io.peerbroker.core.AccessPolicy;
import io.peerbroker.core.Broker;
import io.peerbroker.core.Caller;
import io.peerbroker.core.Channel;
import io.peerbroker.core.ChannelOptions;
import io.peerbroker.core.Message;
import io.peerbroker.core.Scope;
import io.peerbroker.core.Session;
import io.peerbroker.core.SessionSpec;
import io.peerbroker.core.SessionUpdate;
import io.peerbroker.core.TagFilter;
import io.peerbroker.servlet.BrokerServlet;
import io.peerbroker.servlet.HttpCaller;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.session.SessionInformation;
import org.springframework.security.core.session.SessionRegistry;
import org.springframework.security.core.session.SessionRegistryImpl;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.provisioning.UserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher;
import org.springframework.security.web.session.HttpSessionDestroyedEvent;
import org.springframework.security.web.session.HttpSessionEventPublisher;

/**
 * The application has a login by Spring Security: how does the broker go by it?
 *
 * <p>A help desk. Customers find and reach agents, not each other; agents find everybody. Log in as
 * {@code ada} or {@code bob} (customers) or as {@code grace} (an agent), the password is the name.
 * Once it is packaged, {@code java -jar broker-examples-spring/target/broker-spring.jar} runs it.
 */
@SpringBootApplication
public class HelpDesk {

  /**
   * Runs the application until the process is terminated.
   *
   * @param args Spring Boot's, such as {@code --server.port=8081}
   */
  public static void main(String[] args) {
    SpringApplication.run(HelpDesk.class, args);
  }

  /**
   * The access rules in front of the broker.
   *
   * <p>The broker's paths are open to everybody here, in all dispatches, so that it is the policy
   * that answers a stranger: a refusal that scripts can read, where a redirect to the login page
   * would have an EventSource read HTML. Spring Security's filters run before them all the same,
   * and so the principal is known. Spring Boot registers them for asynchronous requests, which
   * streams need.
   *
   * <p>No CSRF token for the broker's paths. A foreign page can have a browser send a form with the
   * visitor's cookie, but not JSON, for which the browser asks first, and the broker takes nothing
   * else; and each {@code POST} there shows the key of its channel ({@code requireSessionKey}),
   * which a foreign page can't read. What it can do is open streams, and no CSRF token helps there,
   * since they are {@code GET}s: the session's cookie is {@code SameSite=Lax}, see {@code
   * application.properties}. Against pages of the same site, a policy looks at {@code
   * Sec-Fetch-Site} and {@code Origin} as well, as {@code CookiesAndOrigin} does in {@code
   * broker-examples}.
   */
  @Bean
  SecurityFilterChain security(HttpSecurity http, SessionRegistry logins) {
    var broker = PathPatternRequestMatcher.withDefaults().matcher("/broker/**");
    return http.authorizeHttpRequests(
            paths -> paths.requestMatchers(broker).permitAll().anyRequest().authenticated())
        .csrf(csrf -> csrf.ignoringRequestMatchers(broker))
        .formLogin(Customizer.withDefaults())
        .sessionManagement(sessions -> sessions.maximumSessions(-1).sessionRegistry(logins))
        .build();
  }

  @Bean
  InMemoryUserDetailsManager users() {
    return new InMemoryUserDetailsManager(
        Stream.of("ada", "bob", "grace")
            .map(
                name ->
                    User.withUsername(name)
                        .password("{noop}" + name)
                        .roles(name.equals("grace") ? "AGENT" : "CUSTOMER")
                        .build())
            .toList());
  }

  /**
   * The users that are logged in now: a request's principal only names the one at the time of the
   * request.
   */
  @Bean
  SessionRegistry logins() {
    return new SessionRegistryImpl();
  }

  @Bean
  Broker broker(SessionRegistry logins, UserDetailsManager users) {
    return Broker.builder()
        .requireSessionKey(true)
        .accessPolicy(new ByLogin(logins, users))
        .build();
  }

  @Bean
  ServletRegistrationBean<BrokerServlet> brokerServlet(Broker broker) {
    return new ServletRegistrationBean<>(new BrokerServlet(broker), "/broker/*");
  }

  /**
   * Closes the broker before the container waits for requests to end, which streams never do; and
   * not when a child of this context is closed, whose event comes here as well.
   */
  @Bean
  ApplicationListener<ContextClosedEvent> endStreams(
      Broker broker, ApplicationContext application) {
    return event -> {
      if (event.getApplicationContext() == application) {
        broker.close();
      }
    };
  }

  /**
   * Makes the container report the end of sessions: by logout, or after a time of silence. A stream
   * that is open breaks no silence, but each request does that brings the cookie, a ping too.
   */
  @Bean
  HttpSessionEventPublisher sessionEvents() {
    return new HttpSessionEventPublisher();
  }

  /**
   * Ends the watches of a user that has logged out.
   *
   * <p>The user's channels stay, and their sessions stay listed, until the page goes; but these
   * channels can then only ping and close. If an application needs more, it records in {@link
   * AccessPolicy#host} to which user a channel belongs, and closes it here.
   */
  @Bean
  ApplicationListener<HttpSessionDestroyedEvent> endLists(Broker broker, SessionRegistry logins) {
    return event -> {
      // The registry hears of it by itself, but maybe after this listener.
      logins.removeSessionInformation(event.getId());
      broker.recheck();
    };
  }

  /** The policy: a logged-in user may act by the user's role. */
  private record ByLogin(SessionRegistry logins, UserDetailsManager users) implements AccessPolicy {

    private static final String USER = "user:";
    private static final String ROLE = "role:";

    /**
     * The login of a caller.
     *
     * <p>The principal is what {@code request.getUserPrincipal()} was when the request came; Spring
     * Security has its {@code Authentication} there, or nothing for a stranger. A watch keeps it,
     * so whether the login is still good must be asked where that is known.
     */
    private Authentication login(Caller caller) {
      if (caller instanceof HttpCaller http && http.principal() instanceof Authentication login) {
        String id = http.cookie("JSESSIONID");
        SessionInformation session = id == null ? null : logins.getSessionInformation(id);
        if (session != null && !session.isExpired()) {
          return login;
        }
      }
      throw AccessPolicy.denied("One must have logged in.");
    }

    private static boolean isAgent(Authentication login) {
      return isAgent(login.getAuthorities());
    }

    private static boolean isAgent(Collection<? extends GrantedAuthority> authorities) {
      return authorities.stream().anyMatch(role -> "ROLE_AGENT".equals(role.getAuthority()));
    }

    /** Whether a channel was opened by an agent: its owner is the name in the login. */
    private boolean isAgents(Channel channel) {
      String owner = channel.owner();
      return owner != null
          && users.userExists(owner)
          && isAgent(users.loadUserByUsername(owner).getAuthorities());
    }

    /** The client's tags, and those that only this application may set. */
    private static List<String> tags(List<String> tags, Authentication login) {
      return Stream.concat(
              tags.stream().filter(tag -> !tag.startsWith(USER) && !tag.startsWith(ROLE)),
              Stream.of(USER + login.getName(), ROLE + (isAgent(login) ? "agent" : "customer")))
          .toList();
    }

    @Override
    public void open(Caller caller, ChannelOptions options) {
      login(caller);
    }

    @Override
    public SessionSpec host(Caller caller, Channel channel, SessionSpec spec) {
      return spec.withTags(tags(spec.tags(), login(caller)));
    }

    @Override
    public SessionUpdate update(Caller caller, Session session, SessionUpdate update) {
      Authentication login = login(caller);
      List<String> tags = update.tags();
      return tags == null ? update : update.withTags(tags(tags, login));
    }

    /**
     * Customers write to agents only. A missing target is refused with the same words: otherwise a
     * customer would learn which addresses belong to others.
     */
    @Override
    public void send(Caller caller, Message message, @Nullable Target target) {
      if (!isAgent(login(caller)) && (target == null || !isAgents(target.channel()))) {
        throw AccessPolicy.denied("Customers write to agents, and no agent has this address.");
      }
    }

    @Override
    public Scope scope(Caller caller, TagFilter filter) {
      return isAgent(login(caller)) ? Scope.all() : Scope.tagged(ROLE + "agent");
    }
  }
}
