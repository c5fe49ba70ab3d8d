package io.peerbroker.peerjs;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** PeerJS is one more way into the broker: it stands on the WebSockets, and on no container. */
final class DependencyRuleTest {

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.peerbroker.peerjs");

  @Test
  void peerJsDependsOnNoContainer() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.peerbroker.core..",
            "io.peerbroker.json..",
            "io.peerbroker.servlet..",
            "io.peerbroker.websocket..",
            "io.peerbroker.peerjs..",
            "java..",
            "jakarta.servlet..",
            "jakarta.websocket..",
            "com.google.errorprone.annotations..",
            "org.jspecify..")
        .check(CLASSES);
  }

  @Test
  @DisplayName("No two files need each other, by way of others or not.")
  void thereIsNoCircleOfFiles() {
    slices().assignedFrom(new Files()).should().beFreeOfCycles().check(CLASSES);
  }

  /** Puts each class into the file that it is in, with those nested in it. */
  private static final class Files implements SliceAssignment {

    @Override
    public SliceIdentifier getIdentifierOf(JavaClass part) {
      return SliceIdentifier.of(part.getName().replaceAll("\\$.*", ""));
    }

    @Override
    public String getDescription() {
      return "files";
    }
  }
}
