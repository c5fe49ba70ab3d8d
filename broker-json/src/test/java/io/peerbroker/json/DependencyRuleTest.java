package io.peerbroker.json;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Any transport can use this module, so it needs none. */
final class DependencyRuleTest {

  @Test
  @DisplayName("The protocol's JSON needs the core and nothing else.")
  void json() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.peerbroker.core..", "io.peerbroker.json..", "java..", "org.jspecify..")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.peerbroker.json"));
  }
}
