import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { RecordFilter } from '../../shared/contracts/index.ts';
import { type RecordDetail, RecordFileFormat } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import { RECORD_FORMATS } from '../exporters/records/format.ts';
import { oneByOne, type Steps, type Study } from '../store/index.ts';
import { defineJob } from './definition.ts';

/** Records written between two pauses. */
const CHUNK = 200;

/**
 * Writes the records that pass a filter, in the order of the list; returns how many. The file has its name once it is
 * whole: until then, and when writing ends half way, there is at most one beside it that ends in `.part`.
 */
export function* exportSteps(
  study: Study,
  filter: RecordFilter,
  format: RecordFileFormat,
  path: string,
): Steps<number> {
  const ids = study.curation.select(filter);
  let done = 0;
  function* records(): Generator<RecordDetail> {
    for (let at = 0; at < ids.length; at += CHUNK) {
      for (const record of study.records.several(ids.subarray(at, at + CHUNK))) {
        yield record;
        done++;
      }
    }
  }
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.part`;
  const file = openSync(partial, 'w', 0o600);
  let told = 0;
  try {
    try {
      for (const piece of RECORD_FORMATS[format].write(records())) {
        for (let at = 0; at < piece.length;) at += writeSync(file, piece, at);
        if (done - told < CHUNK) continue;
        told = done;
        yield { done, total: ids.length, doing: 'writing' };
      }
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
    return ids.length;
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Writes records into a file of this process; one that ended took its files with it. */
export const exportJob = defineJob({
  kind: 'export-records',
  params: z.object({ filter: RecordFilter, format: RecordFileFormat, path: z.string() }),
  heavy: false,
  title: ({ format }) => `Export records as ${format.toUpperCase()}`,
  run: async ({ study, params, signal, progress }) => {
    if (!existsSync(dirname(params.path))) {
      throw new UserInputError(
        'EXPORT_INTERRUPTED',
        'The export ended with the program that was to save it.',
        'Export the records again.',
      );
    }
    const steps = exportSteps(study, params.filter, params.format, params.path);
    const records = await oneByOne(steps, signal, ({ done, total, doing }) => {
      progress(done, total, 'records', doing);
    });
    return { summary: `${records.toLocaleString('en')} records written`, result: { records } };
  },
});
