package io.peerbroker.core;

import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Creates the broker's threads, which inherit nothing from the thread that happens to need one.
 *
 * <p>An ordinary new thread inherits its creator's inheritable thread locals (a login, a logging
 * context), context class loader, thread group, priority and access control context. The first
 * thread that needs one of the broker's may serve a request of any user, in any web application.
 * Everything that it passed on would be visible to others, and kept alive.
 */
final class Threads {

  private Threads() {}

  /** Returns a daemon thread, not yet started, that has nothing but its task. */
  @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it: it is only not the maker's.
  static Thread daemon(String name, Runnable task) {
    return privileged(
        () -> {
          Thread thread = new Thread(topGroup(), task, name, 0, false);
          thread.setDaemon(true);
          thread.setPriority(Thread.NORM_PRIORITY);
          forget(thread);
          return thread;
        });
  }

  /** Resets a thread's context class loader to the broker's. */
  static void forget(Thread thread) {
    thread.setContextClassLoader(Threads.class.getClassLoader());
  }

  /** Returns the outermost group below the JVM's own. */
  private static ThreadGroup topGroup() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    ThreadGroup parent = group.getParent();
    while (parent != null && parent.getParent() != null) {
      group = parent;
      parent = group.getParent();
    }
    return group;
  }

  /**
   * A new thread retains the protection domains, and so the class loaders, of everything on the
   * stack.
   */
  @SuppressWarnings("removal") // Up to JDK 23 there is no other way; from 24 on it just calls.
  private static Thread privileged(PrivilegedAction<Thread> action) {
    return AccessController.doPrivileged(action);
  }
}
