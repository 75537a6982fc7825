import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { FileHandle, none, ok } from './common.ts';

export const StudyInfo = z.object({
  handle: z.string(),
  name: z.string(),
  /** For display: the folder's name and place. */
  place: z.string(),
  synthetic: z.boolean(),
  openedAt: d.Timestamp,
});
export type StudyInfo = z.infer<typeof StudyInfo>;

export const StudyCounts = z.object({
  records: z.number().int(),
  undecided: z.number().int(),
  datasets: z.number().int(),
  models: z.number().int(),
  pairs: z.number().int(),
  sweeps: z.number().int(),
  comparisons: z.number().int(),
});

export const app = {
  info: method(
    none,
    z.object({
      version: z.string(),
      engine: z.string(),
      host: z.enum(['electron', 'browser']),
      provider: z.string(),
      providers: z.array(z.object({ name: z.string(), available: z.boolean(), note: z.string() })),
      threads: z.number().int(),
      memoryBytes: z.number(),
      usedBytes: z.number(),
      notice: z.string().nullable(),
      node: z.string(),
    }),
  ),
  /** Known logits and speed, about five seconds. */
  selfCheck: method(
    none,
    z.object({
      ok: z.boolean(),
      maxError: z.number(),
      gflops: z.number(),
      milliseconds: z.number(),
      message: z.string(),
    }),
  ),
  getSettings: method(none, d.Settings),
  setSettings: method(d.Settings, d.Settings),
  licences: method(none, z.array(z.object({ name: z.string(), version: z.string(), licence: z.string() }))),
};

export const files = {
  /** Browser host: folders on the machine that runs Engram, to pick models and files from. */
  roots: method(none, z.array(FileHandle)),
  list: method(
    z.object({ handle: z.string() }),
    z.object({
      parent: z.string().nullable(),
      path: z.string(),
      entries: z.array(FileHandle.extend({ kind: z.enum(['file', 'folder']) })),
    }),
  ),
};

export const studies = {
  recent: method(none, z.array(StudyInfo)),
  current: method(none, z.object({ study: StudyInfo.nullable(), counts: StudyCounts.nullable() })),
  create: method(
    z.object({ name: z.string().trim().min(1).max(120), parent: z.string().nullable() }),
    StudyInfo,
  ),
  open: method(z.object({ handle: z.string() }), StudyInfo),
  /** Creates a study from the bundled synthetic sample: abstracts imported, pairs ready. */
  openSample: method(none, StudyInfo),
  close: method(none, ok),
  history: method(none, z.object({ undo: z.string().nullable(), redo: z.string().nullable() })),
  undo: method(none, z.object({ undone: z.string().nullable() })),
  redo: method(none, z.object({ redone: z.string().nullable() })),
};
