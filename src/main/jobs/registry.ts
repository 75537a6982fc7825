import { type JobRegistry, createJobRegistry, registerJob } from './definition.ts';
import { importJob } from './import.ts';
import { modelGet } from './model-get.ts';
import { modelImport } from './model-import.ts';
import { sweepJob } from './sweep.ts';
import { trainJob } from './train.ts';

/** Every kind of job, one row each. A host gives this to its study session. */
export const JOBS: JobRegistry = createJobRegistry([
  registerJob(importJob),
  registerJob(modelImport),
  registerJob(modelGet),
  registerJob(trainJob),
  registerJob(sweepJob),
]);
