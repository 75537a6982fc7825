// npm run bench [-- NAME...]: every benchmark, or those named. Each compares two things in one run, prints
// ratios and the values compared; docs/benchmarks.md says what was measured. Peers written in Python run only
// where ENGRAM_PEER_PYTHON names an interpreter that has them (tests/reference/README.md lists the packages).
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const names = readdirSync(here)
  .filter((f) => f.endsWith('.bench.ts'))
  .map((f) => f.replace('.bench.ts', ''));
const unknown = wanted.filter((w) => !names.includes(w));
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  process.exit(2);
}
for (const name of names.filter((n) => wanted.length === 0 || wanted.includes(n))) {
  console.log(`\n## ${name}`);
  const { default: bench } = await import(pathToFileURL(join(here, `${name}.bench.ts`)).href);
  await bench();
}
