package io.peerbroker.core;

import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Makes the broker's threads, which inherit nothing from the thread that happens to need one.
 *
 * <p>A thread that is made in the ordinary way takes over its maker's inheritable thread locals (a
 * login, a logging context), its context class loader, its thread group, its priority and its
 * access control context. The first thread to need one of the broker's may be a request of any
 * user, in any web application; what it hands on would then be seen by others, and kept alive.
 */
final class Threads {

  private Threads() {}

  /** Returns a daemon thread, not yet started, that knows no more than its task. */
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

  /** Gives a thread the class loader of the broker, whatever loader it has been given meanwhile. */
  static void forget(Thread thread) {
    thread.setContextClassLoader(Threads.class.getClassLoader());
  }

  /** The outermost group below the JVM's own. */
  private static ThreadGroup topGroup() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    ThreadGroup parent = group.getParent();
    while (parent != null && parent.getParent() != null) {
      group = parent;
      parent = group.getParent();
    }
    return group;
  }

  /** A new thread keeps the protection domains, and so the loaders, of all who are on the stack. */
  @SuppressWarnings("removal") // Up to JDK 23 there is no other way; from 24 on it just calls.
  private static Thread privileged(PrivilegedAction<Thread> action) {
    return AccessController.doPrivileged(action);
  }
}
