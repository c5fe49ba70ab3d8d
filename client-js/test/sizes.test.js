import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const client = new URL('../client/', import.meta.url).pathname;

/** Bytes of the modules as a page loads them from a bundle: minified and compressed. Who does not ask for WebSockets does not load them. */
async function size(...modules) {
  const { outputFiles } = await build({
    stdin: {
      contents: modules.map((module) => `export * from './${module}';`).join('\n'),
      resolveDir: client,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['react', './websocket.js'],
    write: false,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

for (const [modules, most] of [
  [['broker.js'], 7100],
  [['broker.js', 'peer.js'], 13382],
]) {
  test(`${modules.join(' and ')}: at most ${most} bytes, minified and compressed`, async (t) => {
    const bytes = await size(...modules);
    t.diagnostic(`${modules.join(' + ')}: ${bytes} bytes`);
    assert.ok(bytes <= most, `${bytes} bytes are more than ${most}`);
  });
}
