package io.peerbroker.it.clients;

import static java.util.Objects.requireNonNull;

import io.peerbroker.it.common.Npm;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A folder of the build with npm packages, which are installed when needed. */
final class NodeFolder {

  private NodeFolder() {}

  /**
   * Copies the resources of a name, and installs the packages that their lock names.
   *
   * @param files further resources beside those that npm needs
   */
  static synchronized Path install(String name, String... files) throws Exception {
    Path folder = Path.of("target", name).toAbsolutePath();
    Files.createDirectories(folder);
    copy(name, folder, ".npmrc", "package.json", "package-lock.json");
    copy(name, folder, files);
    Npm.install(folder);
    return folder;
  }

  private static void copy(String from, Path folder, String... files) throws Exception {
    for (String name : files) {
      try (InputStream file = NodeFolder.class.getResourceAsStream("/" + from + "/" + name)) {
        byte[] bytes = requireNonNull(file, name).readAllBytes();
        Path copy = folder.resolve(name);
        // A lock that is newer than the packages would have them installed again
        if (!Files.exists(copy) || !Arrays.equals(Files.readAllBytes(copy), bytes)) {
          Files.write(copy, bytes);
        }
      }
    }
  }
}
