import { beforeEach, describe, expect, test } from 'vitest';
import type { RecordFilter } from '../../../src/shared/contracts/index.ts';
import type { RecordId } from '../../../src/shared/domain/index.ts';
import type { Study } from '../../../src/main/store/index.ts';
import { addRecords, tempStudy } from '../../support/store.ts';

const filter = (changes: Partial<RecordFilter> = {}): RecordFilter => ({
  query: '',
  decisions: [],
  yearFrom: null,
  yearTo: null,
  terms: [],
  publicationTypes: [],
  journals: [],
  languages: [],
  mesh: [],
  keywords: [],
  sources: [],
  flags: [],
  hideCopies: true,
  ...changes,
});
const ids = (...n: number[]) => n as RecordId[];
let study: Study;

beforeEach(() => {
  study = tempStudy();
  addRecords(study, [
    {
      pmid: '1',
      title: 'b Spikes',
      abstract: 'EEG and EEG in epilepsy.',
      year: 2020,
      publicationTypes: ['Review'],
    },
    {
      pmid: '2',
      title: 'A Sleep',
      abstract: 'A seizure in sleep.',
      year: 2020,
      publicationTypes: ['Cohort'],
    },
    {
      pmid: '3',
      title: 'Zebra',
      abstract: 'No term here.',
      year: 2022,
      publicationTypes: ['Review', 'Cohort'],
    },
    { pmid: '4', title: 'Undated', abstract: 'Seizures, EEG.', year: null },
    { pmid: '4', title: 'Undated', abstract: 'Seizures; an EEG!', year: null },
  ]);
  study.decisions.decide(ids(1), 'include', null);
  study.decisions.decide(ids(2), 'exclude', 'Off topic');
});

describe('the list', () => {
  test('is ordered by year, newest first, then title without regard to case; undated last', () => {
    const page = study.curation.page(filter(), 0, 10);
    expect(page.rows.map((r) => r.title)).toEqual(['Zebra', 'A Sleep', 'b Spikes', 'Undated']);
    expect(page).toMatchObject({ total: 4, all: 4, terms: ['epilepsy', 'EEG', 'seizure'] });
    expect(page.rows.map((r) => r.mentions)).toEqual([
      [0, 0, 0],
      [0, 0, 1],
      [1, 2, 0],
      [0, 1, 1],
    ]);
    expect(page.rows.map((r) => [r.decision, r.reason])).toEqual([
      ['undecided', null],
      ['exclude', 'Off topic'],
      ['include', null],
      ['undecided', null],
    ]);
  });

  test('comes in pages', () => {
    expect(study.curation.page(filter(), 1, 2).rows.map((r) => r.title)).toEqual(['A Sleep', 'b Spikes']);
    expect(study.curation.ids(filter())).toHaveLength(4);
  });

  test.each<[string, Partial<RecordFilter>, string[]]>([
    ['text', { query: 'sleep' }, ['A Sleep']],
    ['decision', { decisions: ['include', 'exclude'] }, ['A Sleep', 'b Spikes']],
    ['years', { yearFrom: 2020, yearTo: 2021 }, ['A Sleep', 'b Spikes']],
    ['any of the terms', { terms: ['epilepsy', 'seizure'] }, ['A Sleep', 'b Spikes', 'Undated']],
    ['a publication type', { publicationTypes: ['Review'] }, ['Zebra', 'b Spikes']],
    ['all at once', { terms: ['EEG'], decisions: ['undecided'], query: 'seizure*' }, ['Undated']],
    ['copies shown', { hideCopies: false, query: 'seizures' }, ['Undated', 'Undated']],
  ])('is filtered by %s', (_name, changes, titles) => {
    const page = study.curation.page(filter(changes), 0, 10);
    expect(page.rows.map((r) => r.title)).toEqual(titles);
    expect(page.total).toBe(titles.length);
  });
});

describe('facets', () => {
  test('count under the other facets, not their own', () => {
    const facets = study.curation.facets(filter({ decisions: ['include'], terms: ['EEG'], yearFrom: 2000 }));
    expect(facets.decisions.map((d) => [d.value, d.count])).toEqual([
      ['undecided', 0],
      ['include', 1],
      ['maybe', 0],
      ['exclude', 0],
    ]);
    expect(facets.terms).toEqual([
      { term: 'epilepsy', articles: 1 },
      { term: 'EEG', articles: 1 },
      { term: 'seizure', articles: 0 },
    ]);
    expect(facets.years).toEqual([{ year: 2020, count: 1 }]);
    expect(facets.publicationTypes).toEqual([{ value: 'Review', count: 1 }]);
  });

  test('without a filter they count everything', () => {
    const facets = study.curation.facets(filter());
    expect(facets.decisions.map((d) => d.count)).toEqual([2, 1, 0, 1]);
    expect(facets.years).toEqual([
      { year: 2020, count: 2 },
      { year: 2022, count: 1 },
    ]);
    expect(facets.publicationTypes).toEqual([
      { value: 'Cohort', count: 2 },
      { value: 'Review', count: 2 },
    ]);
  });
});

test('the flow adds up', () => {
  const flow = study.curation.flow();
  expect(flow).toEqual({
    read: 5,
    rejected: 0,
    duplicates: 1,
    screened: 4,
    excluded: 1,
    excludedByReason: [{ reason: 'Off topic', count: 1 }],
    maybe: 0,
    undecided: 2,
    included: 1,
  });
  expect(flow.screened).toBe(flow.excluded + flow.maybe + flow.undecided + flow.included);
  expect(flow.read).toBe(flow.rejected + flow.duplicates + flow.screened);
});

describe('terms', () => {
  test('count mentions and articles over the records to screen', () => {
    expect(study.terms.statistics()).toEqual([
      { term: 'epilepsy', mentions: 1, articles: 1 },
      { term: 'EEG', mentions: 3, articles: 2 },
      { term: 'seizure', mentions: 2, articles: 2 },
    ]);
  });

  test('a new list is counted over what is there and over what comes', () => {
    study.terms.set(['sleep', ' Sleep ', 'zebra']);
    expect(study.terms.statistics()).toEqual([
      { term: 'Sleep', mentions: 2, articles: 1 },
      { term: 'zebra', mentions: 1, articles: 1 },
    ]);
    addRecords(study, [{ pmid: '9', title: 'Zebras sleep', abstract: 'Standing.' }]);
    expect(study.terms.statistics().map((t) => t.articles)).toEqual([2, 2]);
  });
});
