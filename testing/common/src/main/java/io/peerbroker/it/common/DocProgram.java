package io.peerbroker.it.common;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * Java of the documents, compiled on the class path of the test that asks, without a warning.
 *
 * <p>A block leaves out what an IDE adds (imports, the class around it), so the test adds it here.
 * Its {@code main} runs in the test's JVM, and may be looked at half-way: {@link #here} is put into
 * a block by {@link DocBlock#with}.
 */
public final class DocProgram implements AutoCloseable {

  /** The values that a test looks at while a block runs. */
  @FunctionalInterface
  public interface Look {

    /** Is called where the block says {@link #here}, on the block's thread. */
    void at(Object value) throws Exception;
  }

  /** How a test stops a block to look at it: put {@code HERE + "(value);"} into it. */
  public static final String HERE = "io.peerbroker.it.common.DocProgram.here";

  /** The package and the class of what is compiled. */
  private static final String MAIN = "docs.Main";

  // Guarded by the class's monitor for writing; programs run one after another.
  private static volatile @Nullable Look look;

  private final Path folder;
  private final URLClassLoader loader;
  private final List<DocBlock> blocks;
  private final Class<?> main;

  private DocProgram(Path folder, URLClassLoader loader, List<DocBlock> blocks, Class<?> main) {
    this.folder = folder;
    this.loader = loader;
    this.blocks = blocks;
    this.main = main;
  }

  /** Compiles a block of statements as a {@code main}. */
  public static DocProgram ofStatements(DocBlock block, String... imports) {
    return compile(
        List.of(block),
        imports,
        "public final class Main {\npublic static void main(String... args) throws Exception {\n",
        "}\n}\n");
  }

  /**
   * Compiles blocks of members as one class.
   *
   * @param head what stands before the name of the class: annotations and modifiers
   */
  public static DocProgram ofMembers(String head, List<DocBlock> blocks, String... imports) {
    return compile(blocks, imports, head + " class Main {\n", "}\n");
  }

  private static DocProgram compile(
      List<DocBlock> blocks, String[] imports, String before, String after) {
    StringBuilder source = new StringBuilder("package docs;\n");
    for (String each : imports) {
      source.append("import ").append(each).append(";\n");
    }
    source.append(before);
    blocks.forEach(block -> source.append(block.text()).append('\n'));
    source.append(after);
    try {
      Path folder = Files.createTempDirectory("peerbroker-docs");
      StringWriter said = new StringWriter();
      JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
      List<String> options =
          List.of(
              "-d",
              folder.toString(),
              "-classpath",
              System.getProperty("java.class.path"),
              "-proc:none",
              "-parameters",
              "-Xlint:cast,dep-ann,deprecation,divzero,fallthrough,rawtypes,removal,static,unchecked",
              "-Werror");
      boolean compiled =
          compiler
              .getTask(said, null, null, options, null, List.of(new Source(source.toString())))
              .call();
      if (!compiled) {
        delete(folder);
        throw new AssertionError(blocks + " do not compile:\n" + said + "\n" + source);
      }
      URL[] path = {folder.toUri().toURL()};
      URLClassLoader loader = new URLClassLoader(path, DocProgram.class.getClassLoader());
      return new DocProgram(folder, loader, blocks, loader.loadClass(MAIN));
    } catch (MalformedURLException | ClassNotFoundException e) {
      throw new AssertionError(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the class in which the blocks stand. */
  public Class<?> main() {
    return main;
  }

  /** Lets the test look at a value of the block that runs. Only blocks under test call it. */
  public static void here(Object value) throws Exception {
    Look now = look;
    if (now == null) {
      throw new AssertionError("Nobody looks at " + value);
    }
    now.at(value);
  }

  /** Runs the {@code main} and returns the lines that it prints. */
  public List<String> run() throws Exception {
    return run(value -> {});
  }

  /** Runs the {@code main}, hands its values to the test, and returns the lines that it prints. */
  public synchronized List<String> run(Look atValues) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    look = atValues;
    System.setOut(new PrintStream(printed, true, UTF_8));
    try {
      main.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Exception thrown) {
        throw thrown;
      }
      throw e;
    } finally {
      System.setOut(before);
      look = null;
    }
    return printed.toString(UTF_8).lines().toList();
  }

  /** Returns the documented output of its blocks: their comments that begin with {@code prints}. */
  public List<String> printed() {
    return blocks.stream()
        .flatMap(block -> Pattern.compile("// prints (.*)").matcher(block.text()).results())
        .map(comment -> comment.group(1))
        .toList();
  }

  /** Forgets the classes. */
  @Override
  public void close() {
    try {
      loader.close();
      delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** What is compiled. */
  private static final class Source extends SimpleJavaFileObject {

    private final String text;

    Source(String text) {
      super(URI.create("string:///docs/Main.java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
