package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The map of this package in {@code package-info.java} against its byte code. A nested class counts
 * as a part of the file that it is in.
 */
final class RoomsTest {

  /** Six classes are one thing, and the seventh delivers to them; there is room for one more. */
  private static final int MAX_CIRCLE = 8;

  private static final Path MAP = Path.of("src/main/java/io/peerbroker/core/package-info.java");

  /** A line that names a room and what it is for, or one of classes. */
  private static final Pattern ROOM = Pattern.compile(" \\* ([a-z]+) {2,}[^:]+:");

  private static final Pattern CLASSES = Pattern.compile(" \\* {4,}([A-Z][A-Za-z ]+)");

  /** What each file uses of the others. */
  private final Map<String, Set<String>> uses = uses();

  private static Map<String, Set<String>> uses() {
    Map<String, Set<String>> uses = new TreeMap<>();
    for (JavaClass part :
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.peerbroker.core")) {
      Set<String> used = uses.computeIfAbsent(file(part), unused -> new TreeSet<>());
      for (Dependency dependency : part.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        if (target.getPackageName().equals("io.peerbroker.core")) {
          used.add(file(target));
        }
      }
    }
    uses.remove("package-info");
    uses.forEach((file, used) -> used.remove(file));
    return uses;
  }

  private static String file(JavaClass part) {
    String name = part.getName().substring(part.getPackageName().length() + 1);
    int nested = name.indexOf('$');
    return nested < 0 ? name : name.substring(0, nested);
  }

  /** The rooms' names, each with its classes, in the order of the map. */
  private static Map<String, List<String>> rooms() throws IOException {
    Map<String, List<String>> rooms = new LinkedHashMap<>();
    String room = "";
    for (String line : Files.readAllLines(MAP)) {
      Matcher named = ROOM.matcher(line);
      Matcher classes = CLASSES.matcher(line);
      if (named.matches()) {
        room = named.group(1);
        rooms.put(room, new ArrayList<>());
      } else if (classes.matches()) {
        rooms.get(room).addAll(Arrays.asList(classes.group(1).split(" ")));
      }
    }
    return rooms;
  }

  @Test
  @DisplayName("Each class is in one room of the map, and the map names no other.")
  void eachClassIsInOneRoom() throws IOException {
    assertThat(rooms().values().stream().flatMap(Collection::stream))
        .containsExactlyInAnyOrderElementsOf(uses.keySet());
  }

  @Test
  @DisplayName("No class uses one of a room below its own.")
  void usesGoUp() throws IOException {
    List<String> order = new ArrayList<>();
    Map<String, Integer> depth = new HashMap<>();
    rooms()
        .forEach(
            (room, classes) -> {
              classes.forEach(name -> depth.put(name, order.size()));
              order.add(room);
            });
    List<String> wrong = new ArrayList<>();
    uses.forEach(
        (user, all) -> {
          for (String used : all) {
            if (depth.get(used) > depth.get(user)) {
              wrong.add(
                  "%s (%s) uses %s (%s)"
                      .formatted(
                          user, order.get(depth.get(user)), used, order.get(depth.get(used))));
            }
          }
        });
    assertThat(wrong).isEmpty();
  }

  @Test
  @DisplayName("No circle of files that need each other is larger than the model's.")
  void circlesStaySmall() {
    for (Set<String> circle : circles()) {
      assertThat(circle).hasSizeLessThanOrEqualTo(MAX_CIRCLE);
    }
  }

  /** The largest sets of files each of which needs all others, directly or not. */
  private Set<Set<String>> circles() {
    Map<String, Set<String>> needs = new TreeMap<>();
    for (String file : uses.keySet()) {
      Set<String> reached = new TreeSet<>();
      Deque<String> left = new ArrayDeque<>(uses.get(file));
      while (!left.isEmpty()) {
        String next = left.remove();
        if (reached.add(next)) {
          left.addAll(uses.get(next));
        }
      }
      needs.put(file, reached);
    }
    Set<Set<String>> circles = new HashSet<>();
    needs.forEach(
        (file, reached) -> {
          if (reached.contains(file)) {
            Set<String> circle = new TreeSet<>(reached);
            circle.removeIf(other -> !needs.get(other).contains(file));
            circles.add(circle);
          }
        });
    return circles;
  }
}
