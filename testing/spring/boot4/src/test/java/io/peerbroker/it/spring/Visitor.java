package io.peerbroker.it.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A browser, as far as Spring Security's own pages go. */
final class Visitor {

  private static final Pattern TOKEN = Pattern.compile("name=\"_csrf\"[^>]*value=\"([^\"]+)\"");

  private final URI site;
  private final CookieManager cookies = new CookieManager();
  private final HttpClient http = HttpClient.newBuilder().cookieHandler(cookies).build();

  Visitor(URI site) {
    this.site = site;
  }

  HttpResponse<String> get(String path) throws Exception {
    return http.send(HttpRequest.newBuilder(site.resolve(path)).build(), BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String mediaType, String body) throws Exception {
    return http.send(
        HttpRequest.newBuilder(site.resolve(path))
            .header("Content-Type", mediaType)
            .POST(BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  /** Logs in by the form and returns where that leads. */
  String logIn() throws Exception {
    Matcher token = TOKEN.matcher(get("/login").body());
    assertThat(token.find()).isTrue();
    HttpResponse<String> answer =
        post(
            "/login",
            "application/x-www-form-urlencoded",
            "username=ada&password=ada&_csrf=" + token.group(1));
    assertThat(answer.statusCode()).isEqualTo(302);
    return answer.headers().firstValue("Location").orElseThrow();
  }

  /** Returns the header that says who is logged in. */
  String cookie() {
    HttpCookie session =
        cookies.getCookieStore().getCookies().stream()
            .filter(cookie -> cookie.getName().equals("JSESSIONID"))
            .findFirst()
            .orElseThrow();
    return "Cookie: JSESSIONID=" + session.getValue();
  }
}
