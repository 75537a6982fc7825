import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EngramClient } from '../../../shared/contracts/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { Dataset, PairLine, PairSet, RecordId } from '../../../shared/domain/index.ts';
import { importJob } from '../../jobs/import.ts';
import { hashFile } from '../../store/index.ts';
import { parsePairsStrictly } from '../pairs/parse.ts';
import { finish, type MainJob } from './job.ts';

/** Imports every file that is not there completely; a fault keeps what was committed and ends the main job. */
export async function importFiles(
  job: MainJob,
): Promise<{ added: number; duplicates: number; rejected: number }> {
  const { queue, study } = job.context.session.require();
  const complete = new Set(study.sources.list().flatMap((s) => (s.status === 'complete' ? [s.sha256] : [])));
  const files: { path: string; name: string }[] = [];
  for (const given of job.spec.import) {
    const path = resolve(job.base, given);
    const known = existsSync(path) && complete.has(await hashFile(path));
    if (!known) files.push({ path, name: basename(path) });
  }
  if (files.length > 0) {
    const { id } = queue.start(importJob, { files, sample: job.sample, columns: job.spec.columns });
    await finish(job, id);
  }
  const sources = study.sources.list();
  const sum = (key: 'added' | 'duplicates' | 'rejected'): number =>
    sources.reduce((total, source) => total + source[key], 0);
  return { added: sum('added'), duplicates: sum('duplicates'), rejected: sum('rejected') };
}

const PAGE = 500;

/** Sets the terms, excludes what the specification's searches find, and freezes the dataset. */
export async function curate({ spec, client, context }: MainJob): Promise<Dataset> {
  const { study } = context.session.require();
  if (spec.terms !== undefined && !isDeepStrictEqual(spec.terms, study.settings.terms())) {
    await client.curate.setTerms({ terms: spec.terms });
  }
  for (const { query, reason } of spec.exclude) {
    const ids: RecordId[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const { rows } = await client.curate.records({ filter: { query }, offset, limit: PAGE });
      ids.push(...rows.flatMap((row) => (row.decision === 'exclude' ? [] : [row.id])));
      if (rows.length < PAGE) break;
    }
    if (ids.length > 0) await client.curate.decide({ ids, decision: 'exclude', reason });
  }
  await includeTheRest(client);
  const draft = study.datasets.preview(spec.dataset);
  const same = study.datasets
    .list()
    .find(
      (d) =>
        isDeepStrictEqual(d.options, spec.dataset) &&
        isDeepStrictEqual(d.flow, draft.flow) &&
        isDeepStrictEqual(d.terms, draft.terms),
    );
  return same ?? client.curate.freeze(spec.dataset);
}

/** What nobody excluded is included, so that the flow of records says so. */
async function includeTheRest(client: EngramClient): Promise<void> {
  for (;;) {
    const filter = { decisions: ['undecided' as const] };
    const { rows } = await client.curate.records({ filter, offset: 0, limit: PAGE });
    if (rows.length === 0) return;
    await client.curate.decide({ ids: rows.map((row) => row.id), decision: 'include', reason: null });
  }
}

/** Pairs of a file or of the specification itself, as a set. */
export function pairSet({ spec, base, context }: MainJob): PairSet | null {
  const { pairs } = spec;
  if (pairs === undefined) return null;
  const { study } = context.session.require();
  const [name, lines] =
    typeof pairs === 'string'
      ? [basename(pairs, '.jsonl'), readPairs(resolve(base, pairs))]
      : [`${spec.name} pairs`, pairs];
  const known = study.pairs.findSet(name);
  const stored = known === undefined ? [] : study.pairs.list(known.id).map((pair) => pair.line);
  if (known !== undefined && isDeepStrictEqual(stored, [...lines])) return known;
  const set = study.pairs.createSet(name, lines);
  context.emit('changed', { what: 'pairs' });
  return set;
}

function readPairs(path: string): readonly PairLine[] {
  if (!existsSync(path)) {
    throw new UserInputError(
      'FILE_UNREADABLE',
      `${path} cannot be read.`,
      'Correct "pairs" in the specification.',
    );
  }
  return parsePairsStrictly(readFileSync(path, 'utf8'), basename(path));
}
