package io.peerbroker.json;

import io.peerbroker.core.Json;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The members of a request, each read as the type that it must have. Immutable.
 *
 * <p>Every method throws a {@link RefusedException} with {@code invalid_request} for a member of
 * another type, null included; one without <em>optional</em> in its name also throws it for a
 * member that is missing.
 */
public final class JsonMembers {

  /** The greatest integer that a double, which is what many parsers read, holds exactly. */
  private static final long MAX_NATURAL = (1L << 53) - 1;

  private static final int MAX_DIGITS = 16;

  private final String prefix;
  private final Map<String, Json> members;

  private JsonMembers(String prefix, Map<String, Json> members) {
    this.prefix = prefix;
    this.members = members;
  }

  /**
   * Reads the text of an object.
   *
   * @param body must not be changed any longer: members are parts of it
   * @param maxDepth how deep it may be nested, counting itself as the first level
   * @throws RefusedException {@code malformed_json}, or {@code invalid_request} for what is not an
   *     object, or has a member twice
   */
  public static JsonMembers of(byte[] body, int maxDepth) {
    return new JsonMembers("", Json.members(body, maxDepth));
  }

  /** Returns the members of a member that is an object and may have only these names. */
  public JsonMembers members(String name, Set<String> known) {
    Json value = json(name);
    if (!value.isObject()) {
      throw wrong(name, "an object");
    }
    Map<String, Json> inner = value.members();
    for (String innerName : inner.keySet()) {
      if (!known.contains(innerName)) {
        throw invalid(
            "The member '"
                + prefix
                + name
                + "' may have "
                + String.join(", ", known.stream().sorted().toList())
                + " and nothing else, so no "
                + Refusal.quote(innerName)
                + ".");
      }
    }
    return new JsonMembers(prefix + name + ".", inner);
  }

  /** Returns a member, which may be any JSON. */
  public Json json(String name) {
    Json value = members.get(name);
    if (value == null) {
      throw invalid("The member '" + prefix + name + "' is missing.");
    }
    return value;
  }

  /** Returns a member, which may be any JSON, or null if there is none. */
  public @Nullable Json optionalJson(String name) {
    return members.get(name);
  }

  /** Returns a member that is a string. */
  public String string(String name) {
    Json value = json(name);
    if (!value.isString()) {
      throw wrong(name, "a string");
    }
    return value.asString();
  }

  /** Returns a member that is a string, or null if there is none. */
  public @Nullable String optionalString(String name) {
    return members.containsKey(name) ? string(name) : null;
  }

  /**
   * Returns a member that is an integer from 1 to 2^53 - 1, which every JSON parser can hold, in
   * plain digits, or null if there is none.
   */
  public @Nullable Long optionalNatural(String name) {
    Json value = members.get(name);
    if (value == null) {
      return null;
    }
    String digits = value.isNumber() && value.length() <= MAX_DIGITS ? value.toString() : "";
    if (!digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      long natural = Long.parseLong(digits);
      if (natural > 0 && natural <= MAX_NATURAL) {
        return natural;
      }
    }
    throw wrong(name, "an integer from 1 to " + MAX_NATURAL);
  }

  /** Returns a member that is true or false, or null if there is none. */
  public @Nullable Boolean optionalBoolean(String name) {
    Json value = members.get(name);
    if (value == null) {
      return null;
    }
    if (!value.isBoolean()) {
      throw wrong(name, "true or false");
    }
    return value.asBoolean();
  }

  /** Returns a member that is an array of strings, or null if there is none. */
  public @Nullable List<String> optionalStrings(String name) {
    Json value = members.get(name);
    if (value == null) {
      return null;
    }
    if (!value.isArray()) {
      throw wrong(name, "an array of strings");
    }
    List<String> strings = new ArrayList<>();
    for (Json element : value.elements()) {
      if (!element.isString()) {
        throw wrong(name, "an array of strings");
      }
      strings.add(element.asString());
    }
    return strings;
  }

  /**
   * Returns the elements of an array that has from one to so many of them, or null if there is
   * none.
   */
  public @Nullable List<Json> optionalElements(String name, int max) {
    Json value = members.get(name);
    if (value == null) {
      return null;
    }
    List<Json> elements = value.isArray() ? value.elements() : List.of();
    if (elements.isEmpty() || elements.size() > max) {
      throw wrong(name, "an array of 1 to " + max + " elements");
    }
    return elements;
  }

  private RefusedException wrong(String name, String right) {
    return invalid("The member '" + prefix + name + "' must be " + right + ".");
  }

  private static RefusedException invalid(String detail) {
    return RefusedException.of(Refusal.Code.INVALID_REQUEST, detail);
  }
}
