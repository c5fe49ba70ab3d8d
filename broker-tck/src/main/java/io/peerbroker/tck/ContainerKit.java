package io.peerbroker.tck;

import org.junit.jupiter.api.Nested;

/**
 * What a servlet container must withstand, beside the wire protocol's rules, which this kit runs as
 * well: clients that die, stall and dribble, networks that fail, foreign filters, and being
 * stopped.
 */
public abstract class ContainerKit extends ServerKit {

  /** For subclasses. */
  protected ContainerKit() {}

  @Override
  protected abstract ContainerServer start(ServerSettings settings) throws Exception;

  @Nested
  final class Pressure extends PressureRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ContainerKit.this.start(settings);
    }
  }

  @Nested
  final class Answers extends AnswerRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ContainerKit.this.start(settings);
    }
  }

  @Nested
  final class Cuts extends CutRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ContainerKit.this.start(settings);
    }
  }

  @Nested
  final class Faults extends FaultRules {
    @Override
    protected WireServer start(ServerSettings settings) throws Exception {
      return ContainerKit.this.start(settings);
    }
  }

  @Nested
  final class Surroundings extends ContainerRules {
    @Override
    protected ContainerServer start(ServerSettings settings) throws Exception {
      return ContainerKit.this.start(settings);
    }
  }
}
