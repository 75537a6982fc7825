import { decideJob, freezeJob, nearCopiesJob, termsJob } from './curate.ts';
import { type JobRegistry, createJobRegistry, registerJob } from './definition.ts';
import { exportJob } from './export-records.ts';
import { importJob } from './import.ts';
import { modelGet } from './model-get.ts';
import { modelImport } from './model-import.ts';
import type { PubmedJob } from './pubmed.ts';
import { sweepJob } from './sweep.ts';
import { trainJob } from './train.ts';

/** Every kind of job, one row each. A host gives this to its study session. */
export const JOBS: JobRegistry = createJobRegistry([
  registerJob(importJob),
  registerJob(modelImport),
  registerJob(modelGet),
  registerJob(trainJob),
  registerJob(sweepJob),
  registerJob(freezeJob),
  registerJob(termsJob),
  registerJob(decideJob),
  registerJob(nearCopiesJob),
  registerJob(exportJob),
]);

/** The same with what reaches out to PubMed, which needs the host's settings and key. */
export function jobsWith(pubmed: PubmedJob): JobRegistry {
  return createJobRegistry([...JOBS.values(), registerJob(pubmed)]);
}
