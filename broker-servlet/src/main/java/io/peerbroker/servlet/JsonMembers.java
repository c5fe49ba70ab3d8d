package io.peerbroker.servlet;

import io.peerbroker.core.Json;
import io.peerbroker.core.Refusal;
import io.peerbroker.core.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The members of a body, each read as the type that it must have; other members are ignored. */
final class JsonMembers {

  /** The greatest integer that a double, which is what many parsers read, holds exactly. */
  private static final long MAX_NATURAL = (1L << 53) - 1;

  private static final int MAX_DIGITS = 16;

  private final String prefix;
  private final Map<String, Json> members;

  private JsonMembers(String prefix, Map<String, Json> members) {
    this.prefix = prefix;
    this.members = members;
  }

  /** Reads a body, and takes over its bytes. */
  static JsonMembers of(byte[] body, int maxDepth) {
    return new JsonMembers("", Json.members(body, maxDepth));
  }

  /** The members of a member that is an object and may have only these names. */
  JsonMembers object(String name, Set<String> known) {
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

  Json json(String name) {
    Json value = members.get(name);
    if (value == null) {
      throw invalid("The member '" + prefix + name + "' is missing.");
    }
    return value;
  }

  @Nullable Json optionalJson(String name) {
    return members.get(name);
  }

  String string(String name) {
    Json value = json(name);
    if (!value.isString()) {
      throw wrong(name, "a string");
    }
    return value.asString();
  }

  @Nullable String optionalString(String name) {
    return members.containsKey(name) ? string(name) : null;
  }

  /** A positive integer that every JSON parser can hold, in plain digits. */
  @Nullable Long optionalNatural(String name) {
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

  @Nullable Boolean optionalBoolean(String name) {
    Json value = members.get(name);
    if (value == null) {
      return null;
    }
    if (!value.isBoolean()) {
      throw wrong(name, "true or false");
    }
    return value.asBoolean();
  }

  @Nullable List<String> optionalStrings(String name) {
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

  /** The elements of an array that has from one to so many of them. */
  @Nullable List<Json> optionalElements(String name, int max) {
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
