import { type JobRegistry, createJobRegistry, registerJob } from './definition.ts';
import { importJob } from './import.ts';

/** Every kind of job. A host gives this to its study session. */
export const JOBS: JobRegistry = createJobRegistry([registerJob(importJob)]);
