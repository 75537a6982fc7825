// One TypeScript program per environment, so that the compiler proves what each layer may know.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const environments = ['shared', 'engine', 'main', 'preload', 'tests', 'scripts'];
const failures = environments.filter((name) => {
  const { status } = spawnSync(process.execPath, [tsc, '-p', `tsconfig.${name}.json`], { stdio: 'inherit' });
  return status !== 0;
});
if (failures.length > 0) console.error(`types: failed for ${failures.join(', ')}`);
process.exitCode = failures.length > 0 ? 1 : 0;
