package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** From Java objects and back, and what Gson alone would lose on the way. */
class JsonGsonTest {
  record Offer(String type, @Nullable String sdp, List<Integer> ports) {}

  record Holder(Json a) {}

  @Test
  void comesFromJavaObjects() {
    assertThat(Json.of(null)).isEqualTo(Json.NULL);
    assertThat(Json.of("<a href='\"'>&\u2028")).hasToString("\"<a href='\\\"'>&\\u2028\"");
    assertThat(Json.of(List.of(1, 2.5, true))).hasToString("[1,2.5,true]");
    assertThat(Json.of(Collections.singletonMap("a", null))).hasToString("{\"a\":null}");
    assertThat(Json.of(new Offer("offer", null, List.of(1))))
        .hasToString("{\"type\":\"offer\",\"sdp\":null,\"ports\":[1]}");
    var tree = new JsonArray();
    tree.add(JsonNull.INSTANCE);
    assertThat(Json.of(tree)).hasToString("[null]");
    Json json = Json.parse("{\"a\":1.0,\"a\":\"\\u00e9\"}");
    assertThat(Json.of(json)).isSameAs(json);
    assertThat(Json.of(Map.of("x", json))).hasToString("{\"x\":" + json + "}");
  }

  @Test
  void keepsLoneSurrogatesFromJavaAsEscapes() {
    assertThat(Json.of("a\ud800b\ud83d\ude00\udc00"))
        .hasToString("\"a\\ud800b\ud83d\ude00\\udc00\"");
    assertThat(Json.of("\udc00").asString()).isEqualTo("\udc00");
  }

  @Test
  void refusesObjectsThatHaveNoJsonForm() {
    assertThatIllegalArgumentException().isThrownBy(() -> Json.of(Double.NaN));
    assertThatIllegalArgumentException().isThrownBy(() -> Json.of(Thread.currentThread()));
    Object deep = List.of();
    for (int level = 1; level <= Json.MAX_DEPTH; level++) {
      deep = List.of(deep);
    }
    Object tooDeep = deep;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Json.of(tooDeep))
        .withMessageContaining("512 levels");
  }

  @Test
  void becomesJavaObjects() {
    Offer offer = Json.parse("{\"type\":\"offer\",\"ports\":[1,2]}").to(Offer.class);
    assertThat(offer).isEqualTo(new Offer("offer", null, List.of(1, 2)));
    Map<?, ?> map = Json.parse("{\"a\":[1,1.5]}").to(Map.class);
    assertThat(map).isEqualTo(Map.of("a", List.of(1L, 1.5)));
    assertThat(Json.parse("{\"a\":[1]}").to(Holder.class)).isEqualTo(new Holder(Json.parse("[1]")));
    assertThat(Json.NULL.to(Offer.class)).isNull();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Json.parse("\"secret\"").to(Offer.class))
        .withMessageContaining("Offer")
        .withMessageNotContaining("secret");
  }

  @Test
  void becomesGsonsTree() {
    Json json = Json.parse("{\"a\":[1.0,1E+2,-0,12345678901234567890,null],\"b\":\"\\ud800\"}");
    assertThat(json.toElement().getAsJsonObject().get("a"))
        .hasToString("[1.0,1E+2,-0,12345678901234567890,null]");
    assertThat(json.toElement().getAsJsonObject().get("b").getAsString()).isEqualTo("\ud800");
    assertThat(Json.NULL.toElement()).isEqualTo(JsonNull.INSTANCE);
    Json deep = Json.parse("[".repeat(512) + "]".repeat(512));
    assertThat(Json.of(deep.toElement())).isEqualTo(deep);
    assertThatIllegalArgumentException()
        .as("Gson would make a string of it")
        .isThrownBy(Json.parse("1".repeat(5000))::toElement);
  }
}
