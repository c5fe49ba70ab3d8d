package io.peerbroker.tck;

import java.util.Map;
import java.util.TreeMap;

/**
 * How a server is to differ from the defaults.
 *
 * @param parameters values by the names that the servlet's init-parameters have, in the form they
 *     are written there
 */
public record ServerSettings(Map<String, String> parameters) {

  /** No difference. */
  public static final ServerSettings DEFAULTS = new ServerSettings(Map.of());

  /** Settings that can't be changed. */
  public ServerSettings {
    parameters = Map.copyOf(parameters);
  }

  /** The defaults but for one setting. */
  public static ServerSettings of(String name, Object value) {
    return DEFAULTS.and(name, value);
  }

  /** These settings and one more. */
  public ServerSettings and(String name, Object value) {
    Map<String, String> more = new TreeMap<>(parameters);
    more.put(name, value.toString());
    return new ServerSettings(more);
  }
}
