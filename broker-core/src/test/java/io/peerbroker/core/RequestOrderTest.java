package io.peerbroker.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.peerbroker.core.Refusal.Code;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The order in which a request's faults are reported. */
final class RequestOrderTest extends RequestFixture {

  /** The faults of a request: one row of the table for each possible one. */
  private record Wrong(Code code, UnaryOperator<State> make) {}

  /** A request that has yet to be made, and its faults. */
  private record State(
      Gateway gateway, Channel own, Channel other, String id, String key, String to, Json json) {
    State withId(String wrong) {
      return new State(gateway, own, other, wrong, key, to, json);
    }

    State withKey(String wrong) {
      return new State(gateway, own, other, id, wrong, to, json);
    }

    State withTo(String wrong) {
      return new State(gateway, own, other, id, key, wrong, json);
    }

    State withJson(Json wrong) {
      return new State(gateway, own, other, id, key, to, wrong);
    }
  }

  private static final Wrong SIZE = new Wrong(Code.TOO_LARGE, state -> state.withJson(LARGE));
  private static final Wrong CHANNEL =
      new Wrong(Code.UNKNOWN_CHANNEL, state -> state.withId("nobody"));
  private static final Wrong KEY = new Wrong(Code.WRONG_KEY, state -> state.withKey("wrong"));
  private final Wrong policyRefuses = new Wrong(Code.DENIED, this::denied);

  private State denied(State state) {
    no.set(AccessPolicy.denied("Not you."));
    return state;
  }

  /** Each has the fault of its row and all those that are checked after it. */
  private void assertOrder(List<Wrong> order, Function<State, Request> request) {
    for (int first = 0; first < order.size(); first++) {
      no.set(null);
      Gateway gateway = open();
      Channel own = remote(gateway);
      Channel other = remote(gateway);
      State state = new State(gateway, own, other, own.id(), own.key(), other.id(), Json.of(1));
      for (Wrong wrong : order.subList(first, order.size())) {
        state = wrong.make.apply(state);
      }
      assertRefused(gateway, request.apply(state), order.get(first).code);
      no.set(null);
      nothingIsLeft();
    }
  }

  @Test
  @Tag("E4")
  @DisplayName("A message: size, channel, key, policy, target, rate.")
  void orderOfSend() {
    Wrong target = new Wrong(Code.UNKNOWN_TARGET, state -> state.withTo("nobody"));
    Wrong rate =
        new Wrong(
            Code.RATE_LIMITED,
            state -> {
              RefusedException refused = no.getAndSet(null);
              for (int i = 0; i < 2; i++) {
                Request spent = send(actor(state.own), state.other.id(), Json.of(1));
                assertThat(answer(state.gateway, spent)).isInstanceOf(Answer.Delivered.class);
              }
              no.set(refused);
              return state;
            });
    assertOrder(
        List.of(SIZE, CHANNEL, KEY, policyRefuses, target, rate),
        state -> send(actor(state.id, state.key), state.to, state.json));
  }

  @Test
  @Tag("E4")
  @Tag("N5")
  @DisplayName("A numbered request: size, channel, key, number, policy.")
  void orderOfNumberedRequests() {
    Wrong number =
        new Wrong(
            Code.INVALID_REQUEST,
            state -> {
              RefusedException refused = no.getAndSet(null);
              Request spent =
                  new Request.OpenSession(actor(state.own).withSeq(2), SessionSpec.unlisted());
              assertThat(answer(state.gateway, spent)).isInstanceOf(Answer.SessionOpened.class);
              no.set(refused);
              return state;
            });
    assertOrder(
        List.of(SIZE, CHANNEL, KEY, number, policyRefuses),
        state ->
            new Request.OpenSession(
                actor(state.id, state.key).withSeq(1),
                SessionSpec.unlisted().withMetadata(state.json)));
  }

  @Test
  @Tag("E4")
  @DisplayName("A session: size, channel, key, policy, rate.")
  void orderOfOpenSession() {
    Wrong rate = new Wrong(Code.RATE_LIMITED, this::spendSessions);
    assertOrder(
        List.of(SIZE, CHANNEL, KEY, policyRefuses, rate),
        state ->
            new Request.OpenSession(
                actor(state.id, state.key), SessionSpec.unlisted().withMetadata(state.json)));
  }

  private State spendSessions(State state) {
    RefusedException refused = no.getAndSet(null);
    for (int i = 0; i < 2; i++) {
      Request spent = new Request.OpenSession(actor(state.own), SessionSpec.unlisted());
      assertThat(answer(state.gateway, spent)).isInstanceOf(Answer.SessionOpened.class);
    }
    no.set(refused);
    return state;
  }

  @Test
  @Tag("E4")
  @Tag("A2")
  @DisplayName("An update: size, channel, key, session, its host, policy, rate.")
  void orderOfUpdateSession() {
    Wrong session = new Wrong(Code.UNKNOWN_SESSION, state -> state.withTo("nobody"));
    Wrong owner =
        new Wrong(
            Code.WRONG_KEY,
            state -> {
              Request foreign = new Request.OpenSession(actor(state.other), SessionSpec.unlisted());
              RefusedException refused = no.getAndSet(null);
              String sid = ((Answer.SessionOpened) answer(state.gateway, foreign)).sid();
              no.set(refused);
              return state.withTo(sid);
            });
    assertOrder(
        List.of(SIZE, CHANNEL, KEY, session),
        state ->
            new Request.UpdateSession(
                actor(state.id, state.key),
                state.to,
                SessionUpdate.nothing().withMetadata(state.json)));
    assertOrder(
        List.of(owner, policyRefuses),
        state ->
            new Request.UpdateSession(
                actor(state.id, state.key),
                no.get() != null && state.to.equals(state.other.id()) ? own(state) : state.to,
                SessionUpdate.nothing()));
  }

  /** A session of the acting channel's own. */
  private String own(State state) {
    RefusedException refused = no.getAndSet(null);
    Request request = new Request.OpenSession(actor(state.own), SessionSpec.unlisted());
    String sid = ((Answer.SessionOpened) answer(state.gateway, request)).sid();
    no.set(refused);
    return sid;
  }

  @Test
  @DisplayName("A closed broker is reported after the sizes.")
  void shuttingDown() {
    Gateway gateway = open();
    Channel channel = remote(gateway);
    broker.close();
    assertRefused(gateway, new Request.Ping(actor(channel)), Code.SHUTTING_DOWN);
    assertRefused(gateway, send(actor(channel), "x", Json.of(1)), Code.SHUTTING_DOWN);
    assertRefused(gateway, send(actor(channel), "x", LARGE), Code.TOO_LARGE);
  }
}
