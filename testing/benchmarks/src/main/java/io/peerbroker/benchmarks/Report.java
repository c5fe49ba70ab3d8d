package io.peerbroker.benchmarks;

import java.io.PrintStream;
import java.util.Locale;

/** Prints Markdown as soon as it is known, so that a run that is cut short has shown something. */
final class Report {

  private final PrintStream out;

  Report(PrintStream out) {
    this.out = out;
  }

  /** A paragraph. */
  void text(String text) {
    out.println(text);
    out.println();
    out.flush();
  }

  /** The head of a table, under a title; its rows follow. */
  void table(String title, String... columns) {
    out.println();
    text("#### " + title);
    row(columns);
    out.println("|" + " --- |".repeat(columns.length));
  }

  /** A row of the table that was begun last. */
  void row(String... cells) {
    out.println("| " + String.join(" | ", cells) + " |");
    out.flush();
  }

  /** A number as the tables show it: three digits that count, thousands with commas. */
  static String number(double value) {
    int decimals = value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** Formats a count. */
  static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** Nanoseconds as microseconds. */
  static String micros(double nanos) {
    return number(nanos / 1e3);
  }

  /** Nanoseconds as milliseconds. */
  static String millis(double nanos) {
    return number(nanos / 1e6);
  }
}
