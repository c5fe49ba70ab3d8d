package io.peerbroker.tck;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips the tests that {@link ServerKit#exceptions} names, and prints the reason. */
final class Exceptions implements ExecutionCondition {

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<ServerKit> kit =
        context.getTestInstances().flatMap(instances -> instances.findInstance(ServerKit.class));
    if (kit.isEmpty() || context.getTestMethod().isEmpty()) {
      return ConditionEvaluationResult.enabled("not a test of a kit");
    }
    Map<String, String> exceptions = kit.get().exceptions();
    String method = context.getRequiredTestMethod().getName();
    if (!exceptions.containsKey(method)) {
      return ConditionEvaluationResult.enabled("no exception");
    }
    String reason = Objects.requireNonNull(exceptions.get(method));
    System.out.printf(
        "EXCEPTION %s: %s %s: %s%n",
        kit.get().getClass().getSimpleName(), context.getTags(), context.getDisplayName(), reason);
    return ConditionEvaluationResult.disabled(reason);
  }
}
