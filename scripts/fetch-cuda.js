// Fetches ONNX Runtime's CUDA provider (Linux x64) into node_modules, once, for those who have a GPU. The
// package's own install script does it; .npmrc keeps it from running for everybody. It reads its wish from the
// environment, where `true` is the one value that installs whatever directory it runs in.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('The CUDA provider exists for Linux x64 only. On Windows, DirectML comes with the package.');
  process.exit(2);
}
const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
const script = join(dirname(entry), '..', 'script', 'install.js');
const { status } = spawnSync(process.execPath, [script], {
  stdio: 'inherit',
  env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'true' },
});
if (status !== 0) {
  console.error('The provider was not fetched: the download needs the internet. The CPU works without it.');
}
process.exit(status ?? 1);
