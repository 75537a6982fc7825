#!/usr/bin/env node
// Runs the built command line. Where the Node that started this is too old, the one that came with the
// dependencies takes over.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = [22, 12];
const script = fileURLToPath(new URL('../out/main/cli.js', import.meta.url));

const fail = (line) => {
  process.stderr.write(`${line}\n`);
  process.exit(1);
};

const recentEnough = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
};

/** The `node` package's binary, or null. */
const bundledNode = () => {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const name = process.platform === 'win32' ? 'node.exe' : 'node';
    return [join(folder, 'bin', name), join(folder, name)].find(existsSync) ?? null;
  } catch {
    return null;
  }
};

if (!existsSync(script)) {
  fail('NOT_BUILT: out/main/cli.js is not there. Run `npm run build` in the folder of Engram.');
} else if (recentEnough()) {
  await import(new URL('../out/main/cli.js', import.meta.url).href);
} else {
  const node = bundledNode();
  if (node === null) {
    fail(
      `NODE_TOO_OLD: Engram needs Node ${NEEDED.join('.')}; this is ${process.versions.node}. Run \`npm ci\` again.`,
    );
  } else {
    // Signals reach the child through the terminal's process group; its exit code becomes ours.
    const { status } = spawnSync(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
    process.exitCode = status ?? 1;
  }
}
