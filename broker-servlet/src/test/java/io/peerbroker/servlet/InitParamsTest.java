package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peerbroker.core.Broker;
import io.peerbroker.core.IceServer;
import io.peerbroker.core.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The init-params: their names and their effects. */
final class InitParamsTest {

  @Test
  void withNoneEverythingHasItsDefault() {
    InitParams params = new InitParams(Map.of());
    assertThat(params.httpSettings()).isEqualTo(HttpSettings.defaults());
    try (Broker broker = params.broker();
        Broker plain = Broker.create()) {
      assertThat(broker.limits()).isEqualTo(plain.limits());
    }
    params.requireAllUsed("the application");
  }

  @Test
  void httpAloneForAServletBeside() {
    Map<String, String> params =
        Map.of("preset", "openToEverybody", "writeTimeout", "7s", "maxChannels", "5", "other", "1");
    assertThat(BrokerServlet.settingsOf(params))
        .isEqualTo(HttpSettings.openToEverybody().withWriteTimeout(Duration.ofSeconds(7)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BrokerServlet.settingsOf(Map.of("writeTimeout", "7")))
        .withMessageContaining("'writeTimeout'");
  }

  @Test
  void iceServersAndTheirSecret(@TempDir Path directory) throws IOException {
    InitParams plain = new InitParams(Map.of("iceServers", "stun:a.example , stun:b.example"));
    try (Broker broker = plain.broker()) {
      assertThat(broker.iceServers().servers())
          .containsExactly(IceServer.of("stun:a.example", "stun:b.example"));
      assertThat(broker.iceServers().ttl()).isZero();
    }
    String secret = Files.writeString(directory.resolve("secret"), " north \nmore\n").toString();
    Map<String, String> timed = new LinkedHashMap<>();
    timed.put("iceServers", "turn:a.example");
    timed.put("turnSecretFile", secret);
    try (Broker broker = new InitParams(timed).broker()) {
      assertThat(broker.iceServers().ttl()).isEqualTo(Duration.ofDays(1));
      assertThat(broker.iceServers().servers().get(0).urls()).containsExactly("turn:a.example");
    }
    for (String ttl : List.of("2h", "120m", "7200s")) {
      timed.put("turnTtl", ttl);
      InitParams params = new InitParams(timed);
      try (Broker broker = params.broker()) {
        assertThat(broker.iceServers().ttl()).isEqualTo(Duration.ofHours(2));
      }
      params.requireAllUsed("the application");
    }
    String missing = directory.resolve("missing").toString();
    String empty = Files.createFile(directory.resolve("empty")).toString();
    assertRefused(Map.of("iceServers", "turn:a.example"), "'iceServers'", "needs a username");
    assertRefused(Map.of("iceServers", "a.example"), "'iceServers'", "stun:example.org");
    assertRefused(Map.of("turnSecretFile", secret), "'iceServers'", "missing");
    assertRefused(Map.of("iceServers", "stun:a", "turnTtl", "2h"), "'turnTtl'", "'turnSecretFile'");
    for (String wrong : List.of(missing, empty)) {
      assertRefused(
          Map.of("iceServers", "turn:a", "turnSecretFile", wrong), "'turnSecretFile'", "file");
    }
    assertRefused(
        Map.of("iceServers", "turn:a", "turnSecretFile", secret, "turnTtl", "31d"), "30 days");
  }

  private static void assertRefused(Map<String, String> params, String... says) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InitParams(params).broker().close())
        .withMessageContainingAll(says);
  }

  @Test
  void eachSettingArrivesWhereItBelongs() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("maxChannels", "1");
    all.put("maxWatches", "2");
    all.put("maxSessionsPerChannel", "3");
    all.put("maxWatchesPerChannel", "40");
    all.put("maxTagsPerSession", "4");
    all.put("maxMessageBytes", "5");
    all.put("maxMetadataBytes", "6");
    all.put("maxJsonDepth", "7");
    all.put("maxQueuedEvents", "8");
    all.put("maxQueuedBytes", "9");
    all.put("maxTotalQueuedBytes", "10000000000");
    all.put("maxTotalSessionBytes", "20000000000");
    all.put("maxTotalWatchBytes", "30000000000");
    all.put("messageRate", "11/12");
    all.put("sessionRate", "0");
    all.put("maxReplayEvents", "18");
    all.put("maxReplayBytes", "19");
    all.put("maxResume", "2m");
    all.put("leaseBounds", "20s/21s");
    all.put("listPause", "20ms");
    all.put("drainTimeout", "13ms");
    all.put("requireSessionKey", "true");
    all.put("heartbeat", " 14s ");
    all.put("retry", "3s");
    all.put("writeTimeout", "15m");
    all.put("bodyTimeout", "16S");
    all.put("maxBodyBytes", "17");
    all.put("allowedOrigins", "https://a.example , http://b.example:81");
    all.put("serveClient", "false");
    all.put("serveSockets", "false");
    all.put("allowedHeaders", "Authorization , X-Tenant");
    InitParams params = new InitParams(all);
    HttpSettings http = params.httpSettings();
    assertThat(http.heartbeat()).isEqualTo(Duration.ofSeconds(14));
    assertThat(http.retry()).isEqualTo(Duration.ofSeconds(3));
    assertThat(http.writeTimeout()).isEqualTo(Duration.ofMinutes(15));
    assertThat(http.bodyTimeout()).isEqualTo(Duration.ofSeconds(16));
    assertThat(http.maxBodyBytes()).isEqualTo(17);
    assertThat(http.allowedOrigins())
        .containsExactlyInAnyOrder("https://a.example", "http://b.example:81");
    assertThat(http.serveClient()).isFalse();
    assertThat(http.serveSockets()).isFalse();
    assertThat(http.allowedHeaders())
        .containsExactly(
            "Authorization",
            "Cache-Control",
            "Content-Type",
            "Last-Event-ID",
            "X-Requested-With",
            "X-Tenant");
    try (Broker broker = params.broker()) {
      assertThat(broker.limits())
          .hasToString(
              "Limits{maxChannels=1, maxWatches=2, maxSessionsPerChannel=3,"
                  + " maxWatchesPerChannel=40, maxTagsPerSession=4,"
                  + " maxMessageBytes=5, maxMetadataBytes=6, maxJsonDepth=7, maxQueuedEvents=8,"
                  + " maxQueuedBytes=9, maxTotalQueuedBytes=10000000000,"
                  + " maxTotalSessionBytes=20000000000, maxTotalWatchBytes=30000000000,"
                  + " maxReplayEvents=18, maxReplayBytes=19,"
                  + " messageRate=Rate[perSecond=11, burst=12],"
                  + " sessionRate=Rate[perSecond=0, burst=0], maxResume=PT2M, minLease=PT20S,"
                  + " maxLease=PT21S, listPause=PT0.02S, drainTimeout=PT0.013S}");
    }
    params.requireAllUsed("the application");
  }

  @Test
  void aRateAloneMayBurstToTwice() {
    try (Broker broker = new InitParams(Map.of("messageRate", "50")).broker()) {
      assertThat(broker.limits().messageRate()).isEqualTo(new Limits.Rate(50, 100));
    }
  }

  @Test
  void aLeaseOfZeroTurnsItOff() {
    try (Broker broker = new InitParams(Map.of("leaseBounds", "0s")).broker()) {
      assertThat(broker.limits().maxLease()).isZero();
    }
  }

  @Test
  void aPresetComesFirstWhateverTheOrder() {
    Map<String, String> some = new LinkedHashMap<>();
    some.put("maxTagsPerSession", "9");
    some.put("maxBodyBytes", "30000");
    some.put("preset", "openToEverybody");
    InitParams params = new InitParams(some);
    assertThat(params.httpSettings())
        .isEqualTo(HttpSettings.openToEverybody().withMaxBodyBytes(30_000));
    try (Broker broker = params.broker();
        Broker same = Broker.builder().openToEverybody().maxTagsPerSession(9).build()) {
      assertThat(broker.limits()).isEqualTo(same.limits());
    }
    params.requireAllUsed("the application");
  }

  @Test
  void aPresetIsRefusedWhereTheBrokerWouldNotHaveIt() {
    InitParams params = new InitParams(Map.of("preset", "openToEverybody"));
    params.httpSettings();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> params.requireAllUsed("the application"))
        .withMessageContaining("'preset'")
        .withMessageContaining("no effect");
  }

  @ParameterizedTest
  @CsvSource({
    "preset, open",
    "maxChannels, 0",
    "maxChannels, -1",
    "maxChannels, 1.5",
    "maxChannels, ''",
    "maxChannels, 2147483648",
    "maxChannels, ١",
    "maxJsonDepth, 1",
    "maxTotalQueuedBytes, 99999999999999999999",
    "messageRate, 0/5",
    "messageRate, 5/0",
    "messageRate, 5/",
    "messageRate, /5",
    "messageRate, 1000001",
    "drainTimeout, 61m",
    "maxResume, 500ms",
    "maxResume, 61m",
    "leaseBounds, 20s/10s",
    "leaseBounds, 0s/10s",
    "leaseBounds, 15s/",
    "maxReplayEvents, 0",
    "requireSessionKey, yes",
    "requireSessionKey, TRUE",
    "heartbeat, 15",
    "heartbeat, s",
    "heartbeat, 15h",
    "heartbeat, -15s",
    "heartbeat, 0s",
    "heartbeat, 9ms",
    "heartbeat, 1441m",
    "heartbeat, 999999999999999999m",
    "bodyTimeout, 999999999999999m",
    "writeTimeout, 1 s",
    "maxBodyBytes, 0",
    "allowedOrigins, ''",
    "allowedOrigins, '*,https://a.example'"
  })
  void whatIsWrongIsNamed(String name, String value) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> {
              InitParams params = new InitParams(Map.of(name, value));
              params.httpSettings();
              params.broker().close();
            })
        .withMessageContaining("'" + name + "'")
        .withMessageContaining("'" + value + "'");
  }

  @Test
  void aMistypedNameIsToldWithThoseThereAre() {
    InitParams params = new InitParams(Map.of("heartBeat", "15s"));
    params.httpSettings();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> params.requireAllUsed("the application"))
        .withMessageContaining("'heartBeat'")
        .withMessageContaining("heartbeat")
        .withMessageContaining("maxChannels");
  }

  @Test
  void whatWouldHaveNoEffectIsRefused() {
    InitParams params = new InitParams(Map.of("maxChannels", "1"));
    params.httpSettings();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> params.requireAllUsed("the application"))
        .withMessageContaining("'maxChannels'")
        .withMessageContaining("no effect");
  }
}
