/**
 * A process of its own that imports a PubMed search into a study, to be killed in the middle:
 * `node pubmed-child.ts STUDY [QUERY]` starts one, or continues the study's jobs where no query is given.
 * ENGRAM_PUBMED_URL names the server. Tells each state of the job on standard output.
 */
import { pubmedJob } from '../../src/main/jobs/pubmed.ts';
import { jobsWith } from '../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy, openStudy } from '../../src/main/store/index.ts';
import { noCompute } from './compute.ts';

const [folder = '', query] = process.argv.slice(2);
const study = query === undefined ? openStudy(folder) : createStudy(folder, 'Child');
const job = pubmedJob((signal, tell) => ({
  access: {
    base: process.env['ENGRAM_PUBMED_URL'] ?? '',
    tool: 'engram',
    email: 'someone@example.org',
    key: null,
  },
  limit: { pass: () => Promise.resolve(), rest: () => undefined },
  patience: { idleMs: 5_000, answerMs: 5_000, retryMs: 1, longestMs: 1_000, tries: 3 },
  signal,
  tell,
}));
const queue = createJobQueue({
  study,
  registry: jobsWith(job),
  compute: noCompute(),
  emit: (event) => {
    if (event === 'job') process.stdout.write(`${study.records.count()}\n`);
  },
});
if (query !== undefined) queue.start(job, { query });
await queue.idle();
await queue.close();
study.close();
