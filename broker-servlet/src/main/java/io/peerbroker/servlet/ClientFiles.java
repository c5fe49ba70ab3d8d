package io.peerbroker.servlet;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The client for browsers, as the modules that a page imports: {@code /client.js} and what it is
 * made of. Reads them from the jar once; no path of a request is ever looked up among the
 * resources.
 */
final class ClientFiles {

  /** What users import. The rest is what these import, so that none can be forgotten. */
  private static final List<String> ENTRIES =
      List.of("/client.js", "/client/eventsource.js", "/client/react.js", "/client/websocket.js");

  private static final Pattern IMPORT = Pattern.compile("(?m)^(?:im|ex)port [^;]*'(\\.[^']+)';");

  /** Of the 32 bytes of a digest: no two versions of a file share so many. */
  private static final int ETAG_BYTES = 15;

  private static final ClientFiles NONE = new ClientFiles(Map.of());

  private final Map<String, Reply> byPath;

  private ClientFiles(Map<String, Reply> byPath) {
    this.byPath = byPath;
  }

  /** Returns the files that these settings serve. */
  static ClientFiles of(HttpSettings settings) {
    return settings.serveClient() ? Shipped.FILES : NONE;
  }

  /** Returns the paths of the files below the mount. */
  Set<String> paths() {
    return byPath.keySet();
  }

  /** Returns the answer for one of {@link #paths()}: the file, unless the client has it. */
  Reply answer(String path, HttpServletRequest request) {
    Reply file = file(path);
    String etag = file.headers().get("ETag");
    for (String held : Collections.list(request.getHeaders("If-None-Match"))) {
      if (matches(held, etag)) {
        return new Reply(304, null, new byte[0], file.headers());
      }
    }
    return file;
  }

  /** Returns the whole file at one of {@link #paths()}. */
  Reply file(String path) {
    return Objects.requireNonNull(byPath.get(path), path);
  }

  /**
   * Whether one of the tags in a list is this one. A proxy that compresses makes a tag weak, and
   * the comparison of If-None-Match overlooks that (RFC 9110, section 13.1.2). None of ours has a
   * comma in it.
   */
  private static boolean matches(String list, @Nullable String etag) {
    for (String each : list.split(",", -1)) {
      String tag = each.strip();
      if (tag.equals("*") || (tag.startsWith("W/") ? tag.substring(2) : tag).equals(etag)) {
        return true;
      }
    }
    return false;
  }

  /** Read when they are served for the first time, and then shared by all brokers of the JVM. */
  private static final class Shipped {

    static final ClientFiles FILES = read();

    private static ClientFiles read() {
      Map<String, Reply> files = new LinkedHashMap<>();
      Deque<String> ahead = new ArrayDeque<>(ENTRIES);
      while (!ahead.isEmpty()) {
        String path = ahead.remove();
        if (files.containsKey(path)) {
          continue;
        }
        byte[] bytes = bytes(path.substring(1));
        files.put(
            path,
            new Reply(200, "text/javascript" + Reply.UTF_8, bytes)
                .with("Cache-Control", "no-cache")
                .with("ETag", etag(bytes))
                .with("X-Content-Type-Options", "nosniff"));
        IMPORT
            .matcher(new String(bytes, UTF_8))
            .results()
            .map(found -> URI.create(path).resolve(found.group(1)).toString())
            .forEach(ahead::add);
      }
      return new ClientFiles(Collections.unmodifiableMap(files));
    }

    private static byte[] bytes(String name) {
      try (InputStream file = ClientFiles.class.getResourceAsStream(name)) {
        if (file == null) {
          throw new IllegalStateException(
              "The jar of broker-servlet has lost its file io/peerbroker/servlet/"
                  + name
                  + ". Pack it as it is, or set serveClient to false.");
        }
        return file.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static String etag(byte[] bytes) {
      try {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
        byte[] begin = Arrays.copyOf(digest, ETAG_BYTES);
        return '"' + Base64.getUrlEncoder().encodeToString(begin) + '"';
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError(e); // every Java platform has it
      }
    }
  }
}
