package io.peerbroker.core;

import static io.peerbroker.core.RefusalAssert.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The description of a new session, and of a change. */
final class SessionSpecTest {

  @Test
  void hasTagsAsTheRulesWantThem() {
    assertThat(SessionSpec.listed(" a", "b", "a ").tags()).containsExactly("a", "b");
    assertRefused(() -> SessionSpec.unlisted("!a"), Code.INVALID_TAG);
    assertRefused(() -> SessionUpdate.nothing().withTags(","), Code.INVALID_TAG);
    assertThat(SessionUpdate.nothing().withTags(" a", "a").tags()).containsExactly("a");
  }

  @Test
  void doesNotFollowTheListItWasMadeFrom() {
    List<String> tags = new ArrayList<>(List.of("a"));
    SessionSpec spec = new SessionSpec(tags, true, Json.NULL);
    SessionUpdate update = new SessionUpdate(tags, null, null);
    tags.add("b");
    assertThat(spec.tags()).containsExactly("a");
    assertThat(update.tags()).containsExactly("a");
  }

  @Test
  void hasNoMetadataUnlessSomeAreGiven() {
    Json metadata = Json.parse("{\"n\":1.0}");
    assertThat(SessionSpec.listed("a").metadata()).isEqualTo(Json.NULL);
    assertThat(SessionSpec.listed("a").withMetadata(metadata))
        .isEqualTo(new SessionSpec(List.of("a"), true, metadata));
    assertThat(SessionSpec.listed().isListed()).isTrue();
    assertThat(SessionSpec.unlisted().isListed()).isFalse();
  }

  @Test
  void anUpdateSaysOnlyWhatIsToChange() {
    assertThat(SessionUpdate.nothing()).isEqualTo(new SessionUpdate(null, null, null));
    assertThat(SessionUpdate.nothing().withTags("a").withListed(false).withMetadata(Json.NULL))
        .isEqualTo(new SessionUpdate(List.of("a"), false, Json.NULL));
  }

  @Test
  void noTagsAreNotTheSameAsTagsNotGiven() {
    SessionState before = SessionState.of(SessionSpec.listed("a"));
    assertThat(before.after(SessionUpdate.nothing())).isEqualTo(before);
    assertThat(before.after(SessionUpdate.nothing().withTags()).tags()).isEmpty();
  }
}
