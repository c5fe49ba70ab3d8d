package io.peerbroker.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/**
 * The core knows no servlet, no container, and no library but these: code that needs another one is
 * an adapter.
 */
final class DependencyRuleTest {
  @Test
  void coreDependsOnTheJdkGsonAndAnnotationsOnly() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.peerbroker.core..",
            "java..",
            "javax.crypto..",
            "com.google.gson..",
            "com.google.errorprone.annotations..",
            "org.jspecify..")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.peerbroker.core"));
  }
}
