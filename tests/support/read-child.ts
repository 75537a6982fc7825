// Reads one file to the end, or imports it into a new study, and says how long it took and how much memory, before and
// at most: node read-child.ts read|study FILE ROUNDS [STUDY]. Of several rounds of reading the shortest, and the first.
import { basename } from 'node:path';
import { openImport } from '../../src/main/importers/index.ts';
import { importJob } from '../../src/main/jobs/import.ts';
import { JOBS } from '../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy } from '../../src/main/store/index.ts';
import { noCompute } from './compute.ts';

const [what = 'read', path = '', rounds = '1', folder = ''] = process.argv.slice(2);
const start_mb = process.memoryUsage.rss() / 1024 / 1024;
const times: number[] = [];
let records = 0;
for (let round = 0; round < Number(rounds); round += 1) {
  const begun = performance.now();
  records = what === 'read' ? await read() : await intoStudy();
  times.push(performance.now() - begun);
}
const rss_mb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  `${JSON.stringify({ ms: Math.min(...times), first_ms: times[0], records, start_mb, rss_mb })}\n`,
);

async function read(): Promise<number> {
  const { items } = await openImport(path);
  let n = 0;
  // Articles without an abstract are read like the others, and rejected.
  for await (const item of items) if (item.type !== 'tombstone') n += 1;
  return n;
}

async function intoStudy(): Promise<number> {
  const study = createStudy(folder, 'Bench');
  const queue = createJobQueue({ study, registry: JOBS, compute: noCompute(), emit: () => undefined });
  await queue.wait(queue.start(importJob, { files: [{ path, name: basename(path) }] }).id);
  const n = study.records.count();
  await queue.close();
  study.close();
  return n;
}
