package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The filter against the wording of its rules, on generated filters and tags. */
final class TagFilterPropertiesTest {

  @Property(tries = 500)
  void whatItWritesItReads(@ForAll("terms") List<String> terms) {
    TagFilter filter = TagFilter.parse(String.join(",", terms));
    assertThat(TagFilter.parse(filter.toString())).isEqualTo(filter).hasToString(filter.toString());
  }

  @Property(tries = 1_000)
  void passesWhatTheRulesSay(
      @ForAll("terms") List<String> terms, @ForAll("tags") List<String> tags) {
    TagFilter filter = TagFilter.parse(String.join(" ,\u3000", terms));
    boolean wanted =
        terms.stream()
            .allMatch(
                term ->
                    term.startsWith("!") ? !tags.contains(term.substring(1)) : tags.contains(term));
    assertThat(filter.matches(Tags.normalize(tags))).isEqualTo(wanted);
  }

  // Few letters, so that tags and terms meet often.
  private static Arbitrary<String> tag() {
    return Arbitraries.oneOf(
            Arbitraries.of("a", "b", "c", "d", "\uD83D\uDE00", "a b"),
            Arbitraries.strings().withChars("ab!é\u2028").ofMinLength(1).ofMaxLength(4))
        .filter(tag -> !tag.startsWith("!") && Tags.trim(tag).equals(tag));
  }

  @Provide
  Arbitrary<List<String>> tags() {
    return tag().list().ofMaxSize(6).map(ArrayList::new);
  }

  @Provide
  Arbitrary<List<String>> terms() {
    Arbitrary<String> term = Arbitraries.of("", "!").flatMap(mark -> tag().map(tag -> mark + tag));
    return term.list().ofMaxSize(5);
  }
}
