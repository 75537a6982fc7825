// Reads one file to the end, or imports it into a new study, and says how long it took and how much memory, before and
// at most: node read-child.ts read|study FILE [STUDY]
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { openImport } from '../../src/main/importers/index.ts';
import { importJob } from '../../src/main/jobs/import.ts';
import { JOBS } from '../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy } from '../../src/main/store/index.ts';
import { noCompute } from './compute.ts';

const [what = 'read', path = '', folder = ''] = process.argv.slice(2);
/** Beyond this one time is enough. */
const LONG_BYTES = 100 * 1024 * 1024;
const rounds = what === 'read' && statSync(path).size < LONG_BYTES ? 2 : 1;
const start_mb = process.memoryUsage.rss() / 1024 / 1024;
const times: number[] = [];
let records = 0;
for (let round = 0; round < rounds; round += 1) {
  const begun = performance.now();
  records = what === 'read' ? await read() : await intoStudy();
  times.push(performance.now() - begun);
}
const rss_mb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ ms: Math.min(...times), records, start_mb, rss_mb })}\n`);

async function read(): Promise<number> {
  const { items } = await openImport(path);
  let n = 0;
  for await (const item of items) if (item.type === 'record') n += 1;
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
