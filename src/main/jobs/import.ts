import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { ImportedRecord, type Reject, type Source } from '../../shared/domain/index.ts';
import { toEngramError, UserInputError } from '../../shared/errors/index.ts';
import {
  type ImportItem,
  type OpenImport,
  READERS_VERSION,
  compareCopies,
  contentHash,
  identityKeys,
  openImport,
  parseColumnMap,
  verifyChecksum,
} from '../importers/index.ts';
import { type BatchCounts, type NewRecord, hashFile } from '../store/index.ts';
import { type JobContext, defineJob } from './definition.ts';

/** Items that are validated and committed together with the position in the file. */
const BATCH_ITEMS = 50;

const ImportFile = z.object({
  /** Absolute path on this machine. */
  path: z.string().min(1),
  /** The name the user knows the file by. */
  name: z.string().min(1),
  /** Absolute path of the file with its MD5 sum. */
  md5: z.string().min(1).optional(),
});
const ImportParams = z.object({
  files: z.array(ImportFile).min(1),
  /** The bundled sample: its sources are marked as such. */
  sample: z.boolean().default(false),
  /** `COLUMN=FIELD` for columns of a table that have no known name. */
  columns: z.array(z.string()).default([]),
  /** What was noticed when the files were chosen; goes to the log. */
  notes: z.array(z.string()).default([]),
});
type Context = JobContext<z.output<typeof ImportParams>>;
type ImportFile = z.infer<typeof ImportFile>;

/**
 * Imports files of abstracts. Every batch is committed with the position in the file, so that an
 * interrupted import goes on after the last one. A fault in a file keeps what was committed, marks the
 * source incomplete, and fails the job once the other files are through.
 */
export const importJob = defineJob({
  kind: 'import',
  params: ImportParams,
  heavy: false,
  title: ({ files }) =>
    files.length === 1 ? `Import ${files[0]?.name ?? ''}` : `Import ${files.length} files`,
  onStatus: (status, _params, study, jobId) => {
    // A job that was killed and is then stopped before it runs again leaves its source as it was.
    if (status === 'stopped') study.sources.interrupt(jobId);
  },
  run: async (context) => {
    const { files, notes } = context.params;
    for (const note of notes) context.log(note);
    const sizes = await Promise.all(files.map((f) => sizeOf(f.path)));
    const total = sizes.reduce((a, b) => a + b, 0);
    const sources: Source[] = [];
    const faults: unknown[] = [];
    let before = 0;
    for (const [index, file] of files.entries()) {
      try {
        sources.push(await importFile(context, file, index, { before, total }));
      } catch (error) {
        if (context.signal.aborted) throw error;
        context.log(toEngramError(error).toLine());
        faults.push(error);
      }
      before += sizes[index] ?? 0;
    }
    announce(context);
    if (faults.length > 0) throw faults[0];
    return outcomeOf(sources);
  },
});

function outcomeOf(sources: readonly Source[]) {
  const sum = (key: 'read' | 'added' | 'duplicates' | 'rejected') => sources.reduce((n, s) => n + s[key], 0);
  const counts = {
    read: sum('read'),
    added: sum('added'),
    duplicates: sum('duplicates'),
    rejected: sum('rejected'),
  };
  const n = (value: number) => value.toLocaleString('en');
  return {
    summary: `${n(counts.read)} read, ${n(counts.added)} added, ${n(counts.duplicates)} duplicates, ${n(counts.rejected)} rejected`,
    result: { ...counts, sources: sources.map((s) => s.id) },
  };
}

async function importFile(
  context: Context,
  file: ImportFile,
  index: number,
  bytes: { before: number; total: number },
): Promise<Source> {
  const { study, signal } = context;
  await verifyChecksum({
    path: file.path,
    name: file.name,
    ...(file.md5 === undefined ? {} : { md5: file.md5 }),
  });
  const opened = await openImport(file.path, {
    name: file.name,
    signal,
    columns: parseColumnMap(context.params.columns),
    note: context.log,
  });
  const before = await stat(file.path);
  const source = await beginSource(context, file, index, opened);
  if (source.status === 'complete') return source;
  try {
    await storeItems(context, source, opened, bytes);
    const after = await stat(file.path);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw changed(file.name);
  } catch (error) {
    const message = signal.aborted ? 'The import was interrupted.' : toEngramError(error).message;
    study.sources.setStatus(source.id, 'incomplete', message);
    throw error;
  }
  study.sources.setStatus(source.id, 'complete', null);
  announce(context);
  return study.sources.get(source.id);
}

function changed(name: string): UserInputError {
  return new UserInputError(
    'IMPORT_FILE_CHANGED',
    `${name} changed while it was being imported.`,
    'Import it again when it is complete; what was read is kept.',
  );
}

/**
 * The source to fill: of an earlier attempt of this job, of an unfinished import of this content, or new. What was read
 * otherwise (by other columns, by another version of the readers) is not continued: its items may be others.
 */
async function beginSource(
  context: Context,
  file: ImportFile,
  index: number,
  opened: OpenImport,
): Promise<Source> {
  const { sources } = context.study;
  const sha256 = await hashFile(file.path);
  const reading = JSON.stringify({ readers: READERS_VERSION, columns: context.params.columns });
  const own = sources.findOfJob(context.jobId, index, sha256, reading);
  if (own?.status === 'complete') return own;
  const kind = context.params.sample ? 'sample' : opened.kind;
  return context.study.transaction(() => {
    const source =
      own ?? sources.findUnfinished(sha256, reading) ?? sources.begin(file.name, kind, sha256, reading);
    sources.assign(source.id, context.jobId, index);
    sources.supersede(source.id);
    return sources.get(source.id);
  });
}

async function storeItems(
  context: Context,
  source: Source,
  opened: OpenImport,
  bytes: { before: number; total: number },
): Promise<void> {
  const done = context.study.sources.position(source.id);
  if (done > 0) context.log(`${opened.name}: ${done} items are stored already.`);
  let batch: ImportItem[] = [];
  let passed = 0;
  const commit = async (): Promise<void> => {
    if (batch.length > 0) storeBatch(context, source, batch);
    batch = [];
    const { read } = context.study.sources.get(source.id);
    const at = bytes.before + opened.bytesRead();
    context.progress(at, bytes.total, 'bytes', `${opened.name}: ${read.toLocaleString('en')} records read`);
    await setImmediate();
  };
  try {
    for await (const item of opened.items) {
      passed++;
      if (passed <= done) continue;
      batch.push(item);
      if (batch.length >= BATCH_ITEMS) await commit();
    }
  } finally {
    // What was read soundly before a fault is kept.
    await commit();
  }
}

/** Validates a batch and commits it, its counts and the new position as one. */
export function storeBatch(
  { study }: Pick<Context, 'study'>,
  source: Source,
  batch: readonly ImportItem[],
): void {
  const records: NewRecord[] = [];
  const rejects: Reject[] = [];
  const deleted: string[] = [];
  for (const item of batch) {
    if (item.type === 'reject') rejects.push(item.reject);
    else if (item.type === 'tombstone') deleted.push(...item.pmids);
    else {
      const parsed = ImportedRecord.safeParse(item.record);
      if (parsed.success) {
        const record = parsed.data;
        records.push({ record, keys: identityKeys(record), contentHash: contentHash(record) });
      } else {
        const key = item.record.pmid ?? item.record.title.slice(0, 80);
        rejects.push({ line: item.line, key, reason: z.prettifyError(parsed.error) });
      }
    }
  }
  study.transaction(() => {
    const { added, duplicates } = study.records.add(source.id, records, compareCopies);
    study.records.markDeleted(source.id, deleted);
    for (const reject of rejects) study.sources.addReject(source.id, reject);
    const counts: BatchCounts = {
      items: batch.length,
      read: records.length + rejects.length,
      added,
      duplicates,
      rejected: rejects.length,
    };
    study.sources.advance(source.id, counts);
  });
}

function announce({ emit }: Context): void {
  emit('changed', { what: 'sources' });
  emit('changed', { what: 'records' });
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
