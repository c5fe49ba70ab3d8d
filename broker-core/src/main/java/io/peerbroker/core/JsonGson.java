package io.peerbroker.core;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.ToNumberPolicy;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringReader;
import org.jspecify.annotations.Nullable;

/** The bridge between {@link Json} and Java objects; the only place that runs Gson. */
final class JsonGson {

  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          // Otherwise every 1 would become 1.0 on its way through a Map.
          .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
          .registerTypeAdapter(Json.class, new Verbatim())
          .create();

  private JsonGson() {}

  static byte[] write(@Nullable Object value) {
    try {
      return JsonStrings.escapeLoneSurrogates(GSON.toJson(value)).getBytes(UTF_8);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException(
          "Gson can't write a " + (value == null ? "null" : value.getClass().getName()) + ".", e);
    } catch (StackOverflowError e) {
      throw new IllegalArgumentException(
          "Gson can't write a "
              + (value == null ? "null" : value.getClass().getName())
              + ": it nests too deeply, or is part of itself.",
          e);
    }
  }

  static <T> @Nullable T read(Json json, Class<T> type) {
    // Strictness stays at its default and the adapter is called directly, since both alternatives
    // lose something: STRICT refuses lone surrogates, and Gson.fromJson turns the default into
    // LENIENT, which turns a number that is longer than Gson's buffer into a string.
    var reader = new JsonReader(new StringReader(json.toString()));
    reader.setNestingLimit(Json.MAX_DEPTH);
    try {
      return GSON.getAdapter(type).read(reader);
    } catch (IOException | RuntimeException e) {
      // The cause's message may quote the whole value, so it is not repeated here.
      throw new IllegalArgumentException(
          "This JSON value can't be read as " + type.getName() + "; the cause says where.", e);
    }
  }

  /** Inserts a {@link Json} inside other objects unchanged. */
  private static final class Verbatim extends TypeAdapter<Json> {
    @Override
    public void write(JsonWriter out, @Nullable Json value) throws IOException {
      if (value == null) {
        out.nullValue();
      } else {
        out.jsonValue(value.toString());
      }
    }

    @Override
    public Json read(JsonReader in) throws IOException {
      return Json.of(GSON.getAdapter(JsonElement.class).read(in));
    }
  }
}
