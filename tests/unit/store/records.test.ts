import { describe, expect, test } from 'vitest';
import type { RecordId } from '../../../src/shared/domain/index.ts';
import { addRecords, record, tempStudy } from '../../support/store.ts';

const id = (n: number) => n as RecordId;
const all = {
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
};

describe('copies of a record', () => {
  test.each([
    [
      'PMID',
      { pmid: '10', title: 'Old', abstract: 'Old text.' },
      { pmid: '10', title: 'New', abstract: 'New text.' },
    ],
    [
      'DOI, whatever its case',
      { doi: '10.1/ABC', title: 'Old', abstract: 'Old text.' },
      { doi: '10.1/abc', title: 'New', abstract: 'New text.' },
    ],
    [
      'text, whatever its punctuation',
      { title: 'Interictal spikes', abstract: 'Temporal-lobe surgery.' },
      { title: 'Interictal Spikes', abstract: 'Temporal lobe surgery' },
    ],
  ])('are found by %s', (_by, first, second) => {
    const study = tempStudy();
    addRecords(study, [first]);
    addRecords(study, [second], 'second.csv');
    expect(study.sources.list().map((s) => [s.added, s.duplicates])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(study.records.count()).toBe(1);
    const rows = study.curation.page({ ...all, hideCopies: false }, 0, 10).rows;
    expect(rows.map((r) => r.copies)).toEqual([2, 2]);
    expect(rows.filter((r) => r.duplicateOf === null)).toHaveLength(1);
  });

  test('the newest stands for all, whatever the order, and inherits the decision', () => {
    const study = tempStudy();
    addRecords(study, [{ pmid: '10', version: 1, title: 'v1', abstract: 'a' }]);
    study.decisions.decide([id(1)], 'include', null);
    addRecords(study, [
      { pmid: '10', version: 3, title: 'v3', abstract: 'c' },
      { pmid: '10', version: 2, title: 'v2', abstract: 'b' },
    ]);
    const detail = study.records.get(id(2));
    expect(detail).toMatchObject({ title: 'v3', duplicateOf: null, decision: 'include' });
    expect(detail.copies.map((c) => c.title)).toEqual(['v1', 'v2']);
    expect(study.records.get(id(1)).duplicateOf).toBe(2);
    expect(study.curation.page({ ...all, hideCopies: true }, 0, 10).rows.map((r) => r.title)).toEqual(['v3']);
  });

  test('the very same record is counted, not stored again', () => {
    const study = tempStudy();
    const same = { pmid: '10', title: 'T', abstract: 'a' };
    addRecords(study, [same, same]);
    addRecords(study, [same]);
    expect(study.sources.list().map((s) => [s.read, s.added, s.duplicates])).toEqual([
      [2, 1, 1],
      [1, 0, 1],
    ]);
    expect(study.records.get(id(1)).copies).toEqual([]);
    expect(() => study.records.get(id(2))).toThrow(expect.objectContaining({ code: 'NOT_IN_STUDY' }));
  });

  test('records without an abstract are no copies of each other', () => {
    const study = tempStudy();
    addRecords(study, [
      { title: 'Editorial', abstract: '', journal: 'A' },
      { title: 'Editorial', abstract: '', journal: 'B' },
    ]);
    expect(study.records.count()).toBe(2);
  });
});

describe('what is excluded without being asked', () => {
  test('retracted records, until the user decides otherwise', () => {
    const study = tempStudy();
    addRecords(study, [
      { pmid: '1', title: 'R', abstract: 'r', flags: ['retracted'] },
      { pmid: '2', title: 'E', abstract: 'e', flags: ['erratum'] },
    ]);
    expect(study.records.get(id(1))).toMatchObject({ decision: 'exclude', reason: 'Retracted' });
    expect(study.records.get(id(2))).toMatchObject({ decision: 'undecided', reason: null });
    study.decisions.decide([id(1)], 'include', null);
    expect(study.records.get(id(1))).toMatchObject({ decision: 'include', reason: null });
  });

  test('records that PubMed deleted', () => {
    const study = tempStudy();
    const source = addRecords(study, [
      { pmid: '1', title: 'A', abstract: 'a' },
      { pmid: '2', title: 'B', abstract: 'b' },
    ]);
    study.decisions.decide([id(2)], 'include', null);
    expect(study.records.markDeleted(source, ['1', '2', '3'])).toBe(1);
    expect(study.records.get(id(1))).toMatchObject({ decision: 'exclude', reason: 'Deleted from PubMed' });
    expect(study.records.get(id(2)).decision).toBe('include');
  });

  test('records that come after they were deleted', () => {
    const study = tempStudy();
    const source = addRecords(study, [{ pmid: '1', title: 'A', abstract: 'a' }]);
    study.records.markDeleted(source, ['7', '7']);
    addRecords(study, [{ pmid: '7', title: 'B', abstract: 'b' }], 'older.xml');
    expect(study.records.get(id(2))).toMatchObject({ decision: 'exclude', reason: 'Deleted from PubMed' });
  });

  test('a group of which one copy is retracted, whichever came first and stands', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const study = tempStudy();
      const copies = [
        { pmid: '1', title: 'A', abstract: 'a, and longer', flags: ['preprint' as const] },
        { pmid: '1', title: 'A', abstract: 'a', flags: ['retracted' as const, 'erratum' as const] },
      ];
      for (const i of order) addRecords(study, [copies[i] ?? {}], `${i}.xml`);
      const standing = study.curation.page({ ...all, hideCopies: true }, 0, 10).rows;
      expect(standing.map((r) => [r.flags, r.decision, r.reason])).toEqual([
        [['retracted', 'preprint'], 'exclude', 'Retracted'],
      ]);
    }
  });
});

describe('groups', () => {
  test('become one when a record has keys of several', () => {
    const study = tempStudy();
    addRecords(study, [
      { pmid: '1', title: 'A', abstract: 'the text', year: 2019 },
      { doi: '10.1/x', title: 'B', abstract: 'another text', year: 2021 },
      { title: 'C', abstract: 'a third text', year: 2018 },
    ]);
    study.decisions.decide([id(1)], 'maybe', null);
    addRecords(study, [{ pmid: '1', doi: '10.1/X', title: 'C', abstract: 'A third text!', year: 2020 }]);
    const rows = study.curation.page({ ...all, hideCopies: true }, 0, 10).rows;
    expect(rows.map((r) => [r.title, r.copies, r.decision])).toEqual([['B', 4, 'maybe']]);
    expect(study.curation.flow()).toMatchObject({ read: 4, duplicates: 3, screened: 1 });
  });

  test('let a copy go, and take it back when that is undone', () => {
    const study = tempStudy();
    addRecords(study, [
      { pmid: '1', title: 'A', abstract: 'one', version: 2 },
      { pmid: '1', title: 'A', abstract: 'two' },
    ]);
    study.records.separate(id(2));
    expect(study.records.get(id(2))).toMatchObject({ duplicateOf: null, copies: [] });
    expect(study.curation.flow()).toMatchObject({ read: 2, duplicates: 0, screened: 2 });
    study.records.separate(id(1));
    expect(study.undo.undo()).toEqual({ label: 'Separate a record from its copies', what: 'records' });
    expect(study.records.get(id(2)).duplicateOf).toBe(1);
  });

  test('of one version are led by what was revised last, though it is shorter', () => {
    const study = tempStudy();
    addRecords(study, [{ pmid: '1', abstract: 'long and old', revised: '2020-01-02', year: 2020 }]);
    addRecords(study, [{ pmid: '1', abstract: 'new', revised: '2024-01-02', year: 2019 }]);
    addRecords(study, [{ pmid: '1', abstract: 'oldest of all, and the longest', revised: '2019-12-31' }]);
    const rows = study.curation.page({ ...all, hideCopies: true }, 0, 10).rows;
    expect(rows.map((r) => [r.id, r.copies])).toEqual([[2, 3]]);
  });

  test('are left alone by a record that only its revision date tells from a stored one', () => {
    const study = tempStudy();
    addRecords(study, [{ pmid: '1', abstract: 'same', revised: '2020-01-02' }]);
    addRecords(study, [{ pmid: '1', abstract: 'same', revised: '2024-01-02' }]);
    expect(study.records.get(id(1)).copies).toEqual([]);
  });
});

test('a record comes back as it was imported', () => {
  const study = tempStudy();
  const full = record({
    pmid: '12345678',
    version: 2,
    doi: '10.1000/x',
    title: 'Title <b>',
    abstract: 'BACKGROUND: One.\nRESULTS: Two.',
    sections: [
      { label: 'BACKGROUND', nlmCategory: 'BACKGROUND', text: 'One.' },
      { label: 'RESULTS', nlmCategory: null, text: 'Two.' },
    ],
    otherAbstracts: [{ type: 'plain-language-summary', language: 'eng', text: 'Simple.' }],
    authors: ['A B', 'The Group'],
    affiliations: ['Ward 1'],
    keywords: ['k'],
    mesh: [{ descriptor: 'Epilepsy', major: true, qualifiers: [{ name: 'surgery', major: false }] }],
    publicationTypes: ['Review', 'Journal Article'],
    url: 'https://pubmed.ncbi.nlm.nih.gov/12345678/',
    flags: ['preprint'],
  });
  addRecords(study, [full], 'x.xml');
  expect(study.records.get(id(1))).toMatchObject({
    ...full,
    sourceName: 'x.xml',
    note: '',
    decision: 'undecided',
  });
});
