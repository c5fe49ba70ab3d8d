package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

/** What a broker still holds when everything on it has closed: nothing. */
final class Leftovers {

  private Leftovers() {}

  static void assertNone(Broker broker) {
    LocalBroker local = (LocalBroker) broker;
    assertThat(local.budget.used()).as("bytes of the budget").isZero();
    assertThat(local).extracting("links").hasToString("[]");
    assertThat(local).extracting("channels").hasToString("0");
    assertThat(local).extracting("watches").hasToString("0");
    for (String map :
        new String[] {"channels", "sessions", "listed.byTag", "watches.groups", "watches.byTag"}) {
      assertThat(local.directory).extracting(map).as(map).hasToString("{}");
    }
    assertThat(local.directory).extracting("listed.byNumber.count").isEqualTo(0);
    assertThat(local.directory).extracting("listed.all.leaves").hasToString("[]");
  }
}
