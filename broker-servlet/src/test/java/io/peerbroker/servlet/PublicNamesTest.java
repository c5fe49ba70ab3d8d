package io.peerbroker.servlet;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The names that users of all published modules write. */
final class PublicNamesTest {

  /** Of the language's grammar: what a Kotlin program must put in backticks. */
  private static final Set<String> HARD_KEYWORDS =
      Set.of(
          "as",
          "break",
          "class",
          "continue",
          "do",
          "else",
          "false",
          "for",
          "fun",
          "if",
          "in",
          "interface",
          "is",
          "null",
          "object",
          "package",
          "return",
          "super",
          "this",
          "throw",
          "true",
          "try",
          "typealias",
          "typeof",
          "val",
          "var",
          "when",
          "while");

  private static final List<String> MODULES = List.of("core", "json", "servlet", "test", "tck");

  @Test
  @DisplayName("No public or protected name is a hard keyword of Kotlin.")
  void kotlin() {
    for (String module : MODULES) {
      JavaClasses classes =
          new ClassFileImporter()
              .withImportOption(new ImportOption.DoNotIncludeTests())
              .importPackages("io.peerbroker." + module);
      List<JavaMember> members =
          classes.stream()
              .filter(PublicNamesTest::isPublic)
              .flatMap(type -> Stream.concat(type.getMethods().stream(), type.getFields().stream()))
              .filter(PublicNamesTest::isForUsers)
              .toList();
      assertThat(members).as(module).isNotEmpty();
      assertThat(members.stream().filter(member -> HARD_KEYWORDS.contains(member.getName())))
          .extracting(JavaMember::getFullName)
          .isEmpty();
    }
  }

  private static boolean isPublic(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(PublicNamesTest::isPublic).orElse(true);
  }

  private static boolean isForUsers(JavaMember member) {
    return member.getModifiers().contains(JavaModifier.PUBLIC)
        || member.getModifiers().contains(JavaModifier.PROTECTED);
  }
}
