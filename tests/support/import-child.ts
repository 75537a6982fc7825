/**
 * A process of its own that imports files into a study and tells each batch on standard output, to be
 * killed in the middle: `node import-child.ts STUDY FILE...`. A study already there is opened.
 */
import { basename } from 'node:path';
import { JOBS } from '../../src/main/jobs/registry.ts';
import { importJob } from '../../src/main/jobs/import.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy } from '../../src/main/store/index.ts';
import { noCompute } from './compute.ts';

const [folder = '', ...files] = process.argv.slice(2);
const study = createStudy(folder, 'Child');
const queue = createJobQueue({
  study,
  registry: JOBS,
  compute: noCompute(),
  emit: (event) => {
    if (event === 'job') process.stdout.write(`${study.records.count()}\n`);
  },
});
const job = queue.start(importJob, { files: files.map((path) => ({ path, name: basename(path) })) });
await queue.wait(job.id);
await queue.close();
study.close();
