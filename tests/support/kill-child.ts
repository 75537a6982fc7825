/**
 * A process of its own that begins or continues the import of files into a study, to be killed at any moment:
 * `node kill-child.ts STUDY FILE...`. Tells the number of records every few milliseconds.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { importJob } from '../../src/main/jobs/import.ts';
import { JOBS } from '../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy, openStudy } from '../../src/main/store/index.ts';
import { noCompute } from './compute.ts';

const [folder = '', ...files] = process.argv.slice(2);
const study = existsSync(join(folder, 'study.sqlite')) ? openStudy(folder) : createStudy(folder, 'Killed');
const queue = createJobQueue({
  study,
  registry: JOBS,
  compute: noCompute(),
  emit: () => undefined,
});
const [job] = queue.list();
const id =
  job?.id ?? queue.start(importJob, { files: files.map((path) => ({ path, name: basename(path) })) }).id;
const telling = setInterval(() => process.stdout.write(`${study.records.count()}\n`), 5);
await queue.wait(id);
clearInterval(telling);
await queue.close();
study.close();
