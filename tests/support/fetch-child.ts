/**
 * A process of its own that runs the jobs of a study until none is left, to be killed in the middle:
 * `node fetch-child.ts STUDY PARAMS.json` creates the study and starts a download; without PARAMS the study is
 * opened and continues.
 */
import { readFileSync } from 'node:fs';
import { modelGet } from '../../src/main/jobs/model-get.ts';
import { createJobRegistry, registerJob } from '../../src/main/jobs/definition.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy, openStudy } from '../../src/main/store/index.ts';
import { noCompute } from './compute.ts';

const [folder = '', params] = process.argv.slice(2);
const study = params === undefined ? openStudy(folder) : createStudy(folder, 'Child');
const queue = createJobQueue({
  study,
  registry: createJobRegistry([registerJob(modelGet)]),
  compute: noCompute(),
  emit: (event, payload) => {
    if (event === 'job' && 'progress' in payload) process.stdout.write(`${payload.progress.done}\n`);
  },
});
if (params !== undefined)
  queue.start(modelGet, modelGet.params.parse(JSON.parse(readFileSync(params, 'utf8'))));
await queue.idle();
await queue.close();
study.close();
