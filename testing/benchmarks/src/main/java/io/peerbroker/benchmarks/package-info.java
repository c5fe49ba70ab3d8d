/**
 * The broker's costs: each benchmark prints tables in Markdown, for docs/performance.md.
 *
 * <p>Every figure stands beside a yardstick that was measured in the same run, since the machine
 * and its other tenants move both.
 */
@NullMarked
package io.peerbroker.benchmarks;

import org.jspecify.annotations.NullMarked;
