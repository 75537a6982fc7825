import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { RecordFilter } from '../../src/shared/contracts/index.ts';
import { FreezeOptions, type ImportedRecord, RecordFileFormat } from '../../src/shared/domain/index.ts';
import { exportSteps } from '../../src/main/jobs/export-records.ts';
import { compareCopies, contentHash, identityKeys } from '../../src/main/importers/index.ts';
import {
  createStudy,
  openStudy,
  type NewRecord,
  type Steps,
  type Study,
} from '../../src/main/store/index.ts';
import { median } from './support.ts';

/**
 * Curating a large study: time to open it, to search, to scroll, to count facets, and to decide.
 * ENGRAM_BENCH_RECORDS sets its size; the study is made once and kept in the temporary folder
 * (about 2.5 GB for a million) until ENGRAM_BENCH_DELETE is set.
 */
const RECORDS = Number(process.env['ENGRAM_BENCH_RECORDS'] ?? 1_000_000);
const BATCH = 2_000;
const PAGE = 100;

const SYLLABLES = 'ba ce di fo gu la me ni or pu ra se ti vo xu ken lor mit pan sul ter vin zar ion'.split(
  ' ',
);
const TYPES = ['Journal Article', 'Review', 'Case Reports', 'Clinical Trial', 'Randomized Controlled Trial'];
const LANGUAGES = ['eng', 'eng', 'eng', 'eng', 'eng', 'eng', 'fre', 'ger', 'jpn', 'spa'];
/** Words of the subject and one in how many texts they stand. */
const SUBJECT = [
  ['epilepsy', 3],
  ['seizure', 4],
  ['EEG', 7],
  ['spike', 20],
  ['interictal discharge', 50],
  ['perampanel', 5_000],
] as const;

/** Whole numbers below 2³² that look random and are the same everywhere (mulberry32). */
function randomIntegers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** So many ranks below a number, used as unevenly as words are. */
function some(n: number, below: number, random: () => number): number[] {
  return Array.from({ length: n }, () => Math.floor(below ** (random() / 2 ** 32)));
}

/** Made-up articles: a vocabulary of 12,000 words, used as unevenly as words are. */
function article(n: number, random: () => number): ImportedRecord {
  const word = (): string => {
    const rank = Math.floor(12_000 ** (random() / 2 ** 32)) - 1;
    return (
      (SYLLABLES[rank % 24] ?? '') +
      (SYLLABLES[Math.floor(rank / 24) % 24] ?? '') +
      (SYLLABLES[Math.floor(rank / 576) % 24] ?? '')
    );
  };
  const words = Array.from({ length: 70 + (random() % 80) }, word);
  for (const [term, one] of SUBJECT) {
    if (random() % one === 0) words.splice(random() % words.length, 0, term);
  }
  return {
    pmid: String(10_000_000 + n),
    version: 1,
    doi: `10.1234/bench.${n}`,
    title: words.slice(0, 9).join(' '),
    abstract: `${words.slice(9).join(' ')}.`,
    sections: [],
    journal: `Journal of ${SYLLABLES[random() % 24] ?? ''}${SYLLABLES[random() % 24] ?? ''} ${random() % 7}`,
    year: 1970 + Math.floor(Math.sqrt(random() % 3_025)),
    date: '2020',
    authors: ['A B', 'C D'],
    affiliations: [],
    keywords: some(random() % 7, 60_000, random).map((rank) => `topic ${rank}`),
    mesh: some(6 + (random() % 9), 20_000, random).map((rank) => ({
      descriptor: `Heading ${rank}`,
      major: false,
      qualifiers: [],
    })),
    publicationTypes: [TYPES[0] ?? '', ...(random() % 3 === 0 ? [TYPES[1 + (random() % 4)] ?? ''] : [])],
    language: LANGUAGES[random() % 10] ?? 'eng',
    url: '',
    flags: random() % 900 === 0 ? ['retracted'] : random() % 80 === 0 ? ['erratum'] : [],
  };
}

function makeStudy(folder: string): void {
  const study = createStudy(folder, 'Bench', { synthetic: true });
  const random = randomIntegers(7);
  const started = performance.now();
  for (let n = 0; n < RECORDS;) {
    const batch: NewRecord[] = [];
    for (; n < RECORDS && batch.length < BATCH; n++) {
      const record = article(n, random);
      batch.push({ record, keys: identityKeys(record), contentHash: contentHash(record) });
    }
    const index = Math.floor((n - 1) / 250_000);
    study.transaction(() => {
      const source =
        study.sources.list()[index] ?? study.sources.begin(`part ${index + 1}.xml`, 'pubmed-xml', null);
      const counts = study.records.add(source.id, batch, compareCopies);
      study.sources.advance(source.id, { items: batch.length, read: batch.length, rejected: 0, ...counts });
    });
    if (n % 100_000 === 0)
      console.log(`  ${n} records made, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  const ids = study.curation.ids(RecordFilter.parse({ query: 'spike' }));
  for (let at = 0; at < ids.length; at += 1_000) {
    study.decisions.decide(ids.slice(at, at + 1_000), at % 2_000 === 0 ? 'include' : 'exclude', 'Off topic');
  }
  for (const { id } of study.sources.list()) study.sources.setStatus(id, 'complete', null);
  study.close();
  const seconds = (performance.now() - started) / 1000;
  console.log(`  stored ${(RECORDS / seconds).toFixed(0)} records/s, ${gigabytes(folder)} GB`);
}

function gigabytes(folder: string): string {
  return (statSync(join(folder, 'study.sqlite')).size / 1e9).toFixed(2);
}

/** Milliseconds that a person waits. */
function timed<T>(work: () => T): { ms: number; value: T } {
  const started = performance.now();
  const value = work();
  return { ms: performance.now() - started, value };
}

function report(name: string, times: readonly number[], limit: number): void {
  const worst = Math.max(...times);
  const verdict = worst <= limit ? 'within' : 'ABOVE';
  console.log(
    `  ${name.padEnd(44)} median ${median(times).toFixed(1)} ms, worst ${worst.toFixed(1)} ms, ${verdict} ${limit} ms`,
  );
}

/** Work on many records, in steps between which the study answers. */
function stepped(name: string, records: number, steps: Steps<unknown>): void {
  const started = performance.now();
  let worst = 0;
  for (let done = false; !done;) {
    const step = timed(() => steps.next());
    worst = Math.max(worst, step.ms);
    done = step.value.done === true;
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `  ${name.padEnd(34)} about ${records} records in ${seconds.toFixed(1)} s, longest step ${worst.toFixed(0)} ms`,
  );
}

const QUERIES = [
  'perampanel',
  'spike',
  '"interictal discharge"',
  'epilepsy',
  'seiz*',
  'epilepsy AND EEG',
  'spike* OR seizure*',
  'epilepsy NOT seizure',
  '(EEG OR spike) AND NOT epilepsy',
  'epilepsy OR seizure OR EEG OR spike',
  // The most frequent word of all, four frequent ones not searched for before, a prefix of 5,000 words, a phrase of two
  // frequent words.
  'bababa',
  'gubaba OR lababa OR mebaba OR nibaba',
  'ce*',
  '"perampanel bababa"',
];

const page = (study: Study, changes: z.input<typeof RecordFilter>, offset = 0) =>
  study.curation.page(RecordFilter.parse(changes), offset, PAGE);

export default function bench(): void {
  const folder = join(tmpdir(), 'engram-bench', `curate-${RECORDS}`);
  mkdirSync(join(folder, '..'), { recursive: true });
  if (!existsSync(join(folder, 'study.sqlite'))) makeStudy(folder);

  const opened = timed(() => {
    const study = openStudy(folder);
    return { study, first: page(study, {}), undecided: study.records.undecided() };
  });
  const { study, first } = opened.value;
  console.log(`  ${first.all} records, ${gigabytes(folder)} GB`);
  report('open, count, first page', [opened.ms], 2_000);
  report('facets, the first time', [timed(() => study.curation.facets(RecordFilter.parse({}))).ms], 2_000);

  const searches: number[] = [];
  const facets: number[] = [];
  for (const query of QUERIES) {
    const search = timed(() => page(study, { query }));
    const counted = timed(() => study.curation.facets(RecordFilter.parse({ query })));
    searches.push(search.ms);
    facets.push(counted.ms);
    console.log(
      `    ${query.padEnd(38)} ${String(search.value.total).padStart(8)} found, search ${search.ms.toFixed(1)} ms, facets ${counted.ms.toFixed(1)} ms`,
    );
  }
  report('search, first page with its count', searches, 50);
  report('facets under a search', facets, 200);

  const narrowed = [
    { decisions: ['undecided' as const] },
    { yearFrom: 2000, yearTo: 2010 },
    { terms: ['epilepsy'], publicationTypes: ['Review'] },
    { languages: ['fre', 'ger'], query: 'seizure' },
    { flags: ['retracted' as const] },
    { mesh: ['Heading 7', 'Heading 70'], query: 'epilepsy' },
    { keywords: ['topic 12'], yearFrom: 2010 },
  ];
  const filters: number[] = [];
  const filterFacets: number[] = [];
  for (const filter of narrowed) {
    filters.push(timed(() => page(study, filter)).ms);
    filterFacets.push(timed(() => study.curation.facets(RecordFilter.parse(filter))).ms);
  }
  report('narrowing by a facet, first page', filters, 50);
  report('facets under other facets', filterFacets, 200);

  const random = randomIntegers(3);
  const { total } = page(study, {});
  const scrolls = Array.from({ length: 60 }, () => {
    const offset = Math.floor((random() / 2 ** 32) * (total - PAGE));
    return timed(() => page(study, {}, offset)).ms;
  });
  report('a page anywhere in the list', scrolls, 50);

  const decided: number[] = [];
  for (const row of first.rows.slice(0, 10)) {
    const ms = timed(() => {
      study.decisions.decide([row.id], row.decision === 'maybe' ? 'include' : 'maybe', null);
      page(study, {});
      study.curation.flow();
      study.records.undecided();
    }).ms;
    decided.push(ms);
  }
  report('a decision, the list and the flow anew', decided, 200);
  const size = page(study, { hideCopies: false }).total;
  const more = Array.from({ length: 200 }, (_, n) => article(size + n + RECORDS, random));
  study.transaction(() => {
    const source = study.sources.begin('more.xml', 'pubmed-xml', null);
    study.records.add(
      source.id,
      more.map((record) => ({ record, keys: identityKeys(record), contentHash: contentHash(record) })),
      compareCopies,
    );
  });
  report('the list after 200 records more', [timed(() => page(study, {})).ms], 200);

  const listed = study.curation.select(RecordFilter.parse({ query: 'EEG' }));
  stepped('deciding', listed.length, study.decisions.decideSteps(listed, 'maybe', null));
  stepped('undoing that', listed.length, study.undo.undoSteps());
  const file = join(folder, 'records');
  for (const format of RecordFileFormat.options) {
    const steps = exportSteps(study, RecordFilter.parse({ query: 'spike' }), format, file);
    stepped(`exporting ${format}`, 50_000, steps);
    rmSync(file);
  }
  const options = FreezeOptions.parse({ name: 'Bench', query: 'EEG', includeUndecided: true });
  stepped('near-copies across the split', listed.length, study.datasets.nearCopySteps(options));
  console.log(`  memory ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`);
  study.close();
  if (process.env['ENGRAM_BENCH_DELETE'] !== undefined) rmSync(folder, { recursive: true, force: true });
}
