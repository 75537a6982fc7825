import { describe, expect, test } from 'vitest';
import { RecordFilter } from '../../../src/shared/contracts/index.ts';
import type { RecordDetail, RecordId } from '../../../src/shared/domain/index.ts';
import { DECISIONS } from '../../../src/shared/domain/index.ts';
import { countTerms, fold } from '../../../src/shared/text/index.ts';
import type { Study } from '../../../src/main/store/index.ts';
import { addRecords, tempStudy } from '../../support/store.ts';

/** Whole numbers that look random and are the same everywhere. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = ['seizure', 'EEG', 'epilepsy', 'spike', 'sleep', 'memory', 'cortex', 'child'];
const JOURNALS = ['Brain', 'Lancet', 'Synthetic Letters'];
const TYPES = ['Review', 'Clinical Trial', 'Letter'];
const HEADINGS = ['Epilepsy', 'Electroencephalography', 'Humans', 'Sleep'];
const KEYWORDS = ['spikes', 'Spikes', 'EEG', 'mémoire'];
const LANGUAGES = ['eng', 'fre', ''];

function fill(study: Study, random: (below: number) => number, n: number): void {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T; // an index below the length
  addRecords(
    study,
    Array.from({ length: n }, () => ({
      pmid: random(8) === 0 ? '7' : String(1_000_000 + random(1e6)),
      version: 1 + random(5),
      title: `${pick(WORDS)} ${pick(WORDS)}`,
      abstract: `${pick(WORDS)} and ${pick(WORDS)} ${random(1e6)}`,
      journal: pick(JOURNALS),
      year: random(10) === 0 ? null : 2000 + random(12),
      publicationTypes: random(2) === 0 ? [pick(TYPES)] : [],
      language: pick(LANGUAGES),
      mesh: HEADINGS.filter(() => random(3) === 0).map((descriptor) => ({
        descriptor,
        major: false,
        qualifiers: [],
      })),
      keywords: KEYWORDS.filter(() => random(4) === 0),
      flags: random(6) === 0 ? (['erratum'] as const).slice() : [],
    })),
    `part ${random(1e6)}.xml`,
  );
}

const headings = ({ mesh }: RecordDetail) => mesh.map((heading) => heading.descriptor);

/** The same questions asked of every record in full, one by one. */
function passes(record: RecordDetail, filter: RecordFilter): boolean {
  const text = fold(`${record.title} ${record.abstract}`).split(/\W+/);
  const any = (wanted: readonly string[], has: readonly string[]) =>
    wanted.length === 0 || has.some((value) => wanted.includes(value));
  const mentioned = filter.terms.filter(
    (term) => (countTerms(`${record.title}\n${record.abstract}`, [term])[0] ?? 0) > 0,
  );
  return (
    (!filter.hideCopies || record.duplicateOf === null) &&
    (filter.query === '' || text.includes(fold(filter.query))) &&
    any(filter.decisions, [record.decision]) &&
    (filter.yearFrom === null || (record.year ?? -1) >= filter.yearFrom) &&
    (filter.yearTo === null || (record.year !== null && record.year <= filter.yearTo)) &&
    (filter.terms.length === 0 || mentioned.length > 0) &&
    any(filter.publicationTypes, record.publicationTypes) &&
    any(filter.journals, [record.journal]) &&
    any(filter.languages, [record.language]) &&
    any(filter.mesh, headings(record)) &&
    any(filter.keywords.map(fold), record.keywords.map(fold)) &&
    any(filter.sources.map(String), [String(record.sourceId)]) &&
    any(filter.flags, record.flags)
  );
}

describe('the record index', () => {
  test('answers as the records themselves do, whatever was added, decided, separated or undone', () => {
    const random = numbers(11);
    const study = tempStudy();
    fill(study, random, 60);
    const some = <T>(list: readonly T[]): T[] => list.filter(() => random(4) === 0);

    for (let round = 0; round < 40; round++) {
      const all = () =>
        study.curation.ids(RecordFilter.parse({ hideCopies: false })).map((id) => study.records.get(id));
      const actions: readonly (() => unknown)[] = [
        () => fill(study, random, 1 + random(4)),
        () =>
          study.decisions.decide(some(all().map((r) => r.id)), DECISIONS[random(4)] ?? 'maybe', 'Off topic'),
        () => study.undo.undo(),
        () => study.undo.redo(),
        () => study.terms.set(['seizure', WORDS[random(8)] ?? 'EEG']),
        () => {
          const copy = all().find((r) => r.duplicateOf !== null);
          if (copy !== undefined) study.records.separate(copy.id);
        },
      ];
      actions[random(actions.length)]?.();

      const records = all();
      expect(records).toHaveLength(study.sources.list().reduce((n, s) => n + s.read, 0));
      const filter = RecordFilter.parse({
        query: random(2) === 0 ? '' : (WORDS[random(8)] ?? ''),
        decisions: some(DECISIONS),
        yearFrom: random(3) === 0 ? 2004 : null,
        yearTo: random(3) === 0 ? 2008 : null,
        terms: some(study.settings.terms()),
        publicationTypes: some(TYPES),
        journals: some(JOURNALS),
        languages: some(LANGUAGES),
        mesh: some(HEADINGS),
        keywords: random(2) === 0 ? [] : some(['SPIKES', 'EEG', 'memoire']),
        sources: some(study.sources.list().map((s) => s.id)),
        flags: some(['erratum', 'preprint'] as const),
        hideCopies: random(2) === 0,
      });
      const expected = records.filter((r) => passes(r, filter)).map((r) => r.id);
      const page = study.curation.page(filter, 0, 1_000);
      expect(page.rows.map((r) => r.id)).toEqual(expected);
      expect(study.curation.ids(filter)).toEqual(expected);
      expect([page.total, page.all]).toEqual([
        expected.length,
        records.filter((r) => !filter.hideCopies || r.duplicateOf === null).length,
      ]);

      const facets = study.curation.facets(filter);
      const count = (without: Partial<RecordFilter>, has: (r: RecordDetail) => boolean) =>
        records.filter((r) => passes(r, { ...filter, ...without }) && has(r)).length;
      for (const { value, count: n } of facets.decisions) {
        expect(n).toBe(count({ decisions: [] }, (r) => r.decision === value));
      }
      for (const { year, count: n } of facets.years) {
        expect(n).toBe(count({ yearFrom: null, yearTo: null }, (r) => r.year === year));
      }
      for (const { value, count: n } of facets.journals) {
        expect(n).toBe(count({ journals: [] }, (r) => r.journal === value));
      }
      for (const { value, count: n } of facets.languages) {
        expect(n).toBe(count({ languages: [] }, (r) => r.language === value));
      }
      for (const { value, count: n } of facets.mesh) {
        expect(n).toBe(count({ mesh: [] }, (r) => headings(r).includes(value)));
      }
      for (const { value, count: n } of facets.keywords) {
        expect(n).toBe(count({ keywords: [] }, (r) => r.keywords.map(fold).includes(fold(value))));
      }
      for (const { value, count: n } of facets.publicationTypes) {
        expect(n).toBe(count({ publicationTypes: [] }, (r) => r.publicationTypes.includes(value)));
      }
      for (const { value, count: n } of facets.flags) {
        expect(n).toBe(count({ flags: [] }, (r) => r.flags.includes(value)));
      }
      for (const { id, count: n } of facets.sources) {
        expect(n).toBe(count({ sources: [] }, (r) => r.sourceId === id));
      }
      for (const { term, articles } of facets.terms) {
        expect(articles).toBe(
          count({ terms: [] }, (r) => (countTerms(`${r.title}\n${r.abstract}`, [term])[0] ?? 0) > 0),
        );
      }
      const standing = records.filter((r) => r.duplicateOf === null);
      expect(study.curation.flow()).toMatchObject({
        screened: standing.length,
        included: standing.filter((r) => r.decision === 'include').length,
        excluded: standing.filter((r) => r.decision === 'exclude').length,
        undecided: standing.filter((r) => r.decision === 'undecided').length,
      });
      expect([study.records.count(), study.records.undecided()]).toEqual([
        standing.length,
        standing.filter((r) => r.decision === 'undecided').length,
      ]);
    }
  }, 60_000);

  test('a rolled-back edit leaves it as it was', () => {
    const study = tempStudy();
    addRecords(study, [{ title: 'A' }, { title: 'B', abstract: 'Other.' }]);
    const before = study.curation.facets(RecordFilter.parse({}));
    const [id] = study.curation.ids(RecordFilter.parse({}));
    expect(() =>
      study.transaction(() => {
        study.decisions.decide([id as RecordId], 'exclude', 'Off topic');
        expect(study.curation.flow().excluded).toBe(1);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(study.curation.flow().excluded).toBe(0);
    expect(study.curation.facets(RecordFilter.parse({}))).toEqual(before);
  });
});

test('records that come are put where a new reading of all would put them', () => {
  const random = numbers(5);
  const titles = ['Ähnlich', 'alpha', 'Alpha', 'beta', 'Beta', '', '[Not given]', 'Zeta'];
  const study = tempStudy();
  const filter = RecordFilter.parse({ hideCopies: false });
  const seen: { year: number | null; title: string; id: number }[] = [];
  for (let round = 0; round < 30; round++) {
    addRecords(
      study,
      Array.from({ length: random(12) }, (_, i) => ({
        title: titles[random(titles.length)] ?? '',
        abstract: `Text ${round} ${i}.`,
        year: random(5) === 0 ? null : 1990 + random(4),
      })),
      `part ${round}.xml`,
    );
    const ids = study.curation.ids(filter);
    for (const id of ids.slice().sort((a, b) => a - b)) {
      if (id <= (seen.at(-1)?.id ?? 0)) continue;
      const { year, title } = study.records.get(id);
      seen.push({ id, year, title });
    }
    const folded = (title: string) => title.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const bytes = (title: string) => Buffer.from(folded(title), 'utf8');
    const expected = seen
      .slice()
      .sort(
        (a, b) =>
          (b.year ?? 0) - (a.year ?? 0) || Buffer.compare(bytes(a.title), bytes(b.title)) || a.id - b.id,
      );
    expect(ids).toEqual(expected.map(({ id }) => id));
  }
});
