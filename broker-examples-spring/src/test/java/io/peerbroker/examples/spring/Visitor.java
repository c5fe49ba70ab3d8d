package io.peerbroker.examples.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A user at a browser, as far as Spring Security's own pages go. */
final class Visitor {

  private static final Pattern TOKEN = Pattern.compile("name=\"_csrf\"[^>]*value=\"([^\"]+)\"");

  private final URI site;
  private final CookieManager cookies = new CookieManager();
  private final HttpClient http = HttpClient.newBuilder().cookieHandler(cookies).build();

  private Visitor(URI site) {
    this.site = site;
  }

  /** Logs in by the form; the password is the name. */
  static Visitor logIn(URI site, String name) throws Exception {
    var visitor = new Visitor(site);
    visitor.get("/login");
    HttpResponse<String> answer =
        visitor.submit("/login", "username=" + encode(name) + "&password=" + encode(name));
    assertThat(answer.statusCode()).isEqualTo(302);
    assertThat(answer.headers().firstValue("Location")).hasValue(site.resolve("/").toString());
    return visitor;
  }

  void logOut() throws Exception {
    assertThat(submit("/logout", "").statusCode()).isEqualTo(302);
  }

  /** The header that names the user. */
  String cookie() {
    HttpCookie session =
        cookies.getCookieStore().getCookies().stream()
            .filter(cookie -> cookie.getName().equals("JSESSIONID"))
            .findFirst()
            .orElseThrow();
    return "Cookie: JSESSIONID=" + session.getValue();
  }

  HttpResponse<String> get(String path) throws Exception {
    return http.send(HttpRequest.newBuilder(site.resolve(path)).build(), BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String form) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(site.resolve(path))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form))
            .build(),
        BodyHandlers.ofString());
  }

  /** Posts the form that a page shows, with the token in it. */
  private HttpResponse<String> submit(String path, String fields) throws Exception {
    Matcher token = TOKEN.matcher(get(path).body());
    assertThat(token.find()).as("a form at " + path).isTrue();
    return post(path, fields + "&_csrf=" + encode(token.group(1)));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, UTF_8);
  }
}
