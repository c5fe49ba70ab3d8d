/**
 * The runnable broker with its demo page, and one runnable file per question:
 *
 * <ul>
 *   <li>{@link io.peerbroker.examples.DirectUse}: how do two parties in one JVM use it?
 *   <li>{@link io.peerbroker.examples.EmbedInWebApp}: how does it get into my web application?
 *   <li>{@link io.peerbroker.examples.JvmPeerAndBrowser}: how does my JVM code talk to a browser?
 *   <li>{@link io.peerbroker.examples.TokenInQuery}: how are tokens checked, where EventSource can
 *       set no header, and tenants kept apart?
 *   <li>{@link io.peerbroker.examples.CookiesAndOrigin}: how is a foreign page kept from using my
 *       visitors' cookies?
 *   <li>{@link io.peerbroker.examples.AddressLimitFilter}: how is one address kept from taking it
 *       all, without a proxy?
 * </ul>
 *
 * <p>How it goes by Spring Security's login is shown by {@code HelpDesk}, in the module {@code
 * broker-examples-spring}.
 */
@NullMarked
package io.peerbroker.examples;

import org.jspecify.annotations.NullMarked;
