package io.peerbroker.it.docs;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import io.peerbroker.it.common.DocBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The project's own files, for tests that hold its documents to its sources. */
final class ProjectFiles {

  /** Folders that are not the project's own: the repository, build output, an editor's. */
  private static final Set<String> FOREIGN = Set.of(".git", "target", "node_modules", ".idea");

  private ProjectFiles() {}

  /** Returns the Java sources below a folder of the project's; the empty name is its root. */
  static List<Path> java(String folder) {
    return endingIn(folder, Set.of("java"));
  }

  /** Returns the files below a folder of the project's whose names end in one of these. */
  static List<Path> endingIn(String folder, Set<String> endings) {
    List<Path> found = new ArrayList<>();
    SimpleFileVisitor<Path> visitor =
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes seen) {
            return FOREIGN.contains(directory.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes seen) {
            String name = file.toString();
            if (endings.contains(name.substring(name.lastIndexOf('.') + 1))) {
              found.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        };
    try {
      Files.walkFileTree(DocBlock.root().resolve(folder), visitor);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** Returns the sources of all tests by the names of their classes: two may have one name. */
  static Map<String, List<String>> tests() {
    return java("").stream()
        .filter(file -> file.toString().matches(".*(Test|IT|Rules)\\.java"))
        .collect(
            groupingBy(
                file -> file.getFileName().toString().replace(".java", ""),
                mapping(ProjectFiles::read, toList())));
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
