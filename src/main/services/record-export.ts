import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RecordFilter } from '../../shared/contracts/index.ts';
import type { RecordDetail } from '../../shared/domain/index.ts';
import { RECORD_FORMATS, type RecordFormatName } from '../exporters/records/format.ts';
import type { Study } from '../store/index.ts';

/** Writes the records that pass a filter, in the order of the list; returns how many. */
export function exportRecords(
  study: Study,
  filter: RecordFilter,
  format: RecordFormatName,
  path: string,
): number {
  const ids = study.curation.ids(filter);
  function* records(): Generator<RecordDetail> {
    for (const id of ids) yield study.records.get(id);
  }
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w', 0o600);
  try {
    for (const piece of RECORD_FORMATS[format].write(records())) writeSync(file, piece);
  } finally {
    closeSync(file);
  }
  return ids.length;
}

let folder: string | null = null;

/** A path for a file that is offered for saving; gone when the process ends. */
export function exportPath(name: string): string {
  if (folder === null) {
    const made = mkdtempSync(join(tmpdir(), 'engram-export-'));
    folder = made;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  return join(mkdtempSync(join(folder, 'x-')), name);
}
