package io.peerbroker.servlet;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The servlet runs in many containers, so it uses the servlet API and no container's classes. */
final class DependencyRuleTest {
  @Test
  void servletDependsOnNoContainer() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.peerbroker.core..",
            "io.peerbroker.servlet..",
            "java..",
            "jakarta.servlet..",
            "com.google.gson..",
            "org.jspecify..")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.peerbroker.servlet"));
  }
}
