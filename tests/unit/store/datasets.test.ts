import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FreezeOptions, type RecordId } from '../../../src/shared/domain/index.ts';
import { addRecords, tempStudy } from '../../support/store.ts';

const options = (changes: Partial<z.input<typeof FreezeOptions>> = {}) =>
  FreezeOptions.parse({ name: 'Epilepsy', ...changes });
const many = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ title: `Title ${i}`, abstract: `Abstract number ${i} on EEG.` }));
const ids = (...n: number[]) => n as RecordId[];

describe('a frozen dataset', () => {
  test('splits as scikit-learn does, index for index, in the order of the permutation', () => {
    const reference = z
      .object({
        splits: z.array(
          z.object({
            n: z.number(),
            train: z.array(z.number()).optional(),
            test: z.array(z.number()).optional(),
          }),
        ),
      })
      .parse(JSON.parse(readFileSync('tests/reference/split.json', 'utf8')));
    const split = reference.splits.find((s) => s.n === 10);
    const study = tempStudy();
    addRecords(study, many(10));
    const dataset = study.datasets.freeze(options());
    expect(dataset).toMatchObject({ nTrain: 8, nValidation: 2, version: 1 });
    expect(study.datasets.members(dataset.id, 'train').map((m) => m.ordinal)).toEqual(split?.train);
    expect(study.datasets.members(dataset.id, 'validation').map((m) => m.ordinal)).toEqual(split?.test);
    expect(study.datasets.members(dataset.id).map((m) => m.recordId)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  test('holds the chosen records and carries the flow and the counts', () => {
    const study = tempStudy();
    addRecords(study, [
      ...many(6),
      { title: 'No abstract', abstract: '' },
      { title: 'Other', abstract: 'Kidneys.' },
      { pmid: '99', title: 'Gone', abstract: 'EEG.', flags: ['retracted'] },
    ]);
    study.decisions.decide(ids(1), 'exclude', 'Off topic');
    study.decisions.decide(ids(2), 'maybe', null);
    study.decisions.decide(ids(3), 'include', null);
    const dataset = study.datasets.freeze(options({ query: 'EEG OR "no abstract"', testFraction: 0.25 }));
    expect(study.datasets.members(dataset.id).map((m) => m.recordId)).toEqual([3, 4, 5, 6]);
    expect(study.datasets.members(dataset.id)[0]!.text).toBe('Title 2\nAbstract number 2 on EEG.');
    expect(dataset.terms.find((t) => t.term === 'EEG')).toEqual({ term: 'EEG', mentions: 4, articles: 4 });
    expect(dataset.flow).toMatchObject({
      read: 9,
      screened: 9,
      excluded: 4,
      maybe: 1,
      undecided: 0,
      included: 4,
    });
    expect(Object.fromEntries(dataset.flow.excludedByReason.map((r) => [r.reason, r.count]))).toEqual({
      'Off topic': 1,
      Retracted: 1,
      'Not found by "EEG OR "no abstract""': 1,
      'No abstract': 1,
    });
    const { flow } = dataset;
    expect(flow.screened).toBe(flow.excluded + flow.maybe + flow.undecided + flow.included);
  });

  test('is what it was, whatever is decided later; the same choice again has the same hash', () => {
    const study = tempStudy();
    addRecords(study, many(10));
    const first = study.datasets.freeze(options());
    const members = study.datasets.members(first.id);
    study.decisions.decide(ids(1, 2), 'exclude', 'Off topic');
    expect(study.datasets.get(first.id)).toEqual(first);
    expect(study.datasets.members(first.id)).toEqual(members);
    const second = study.datasets.freeze(options());
    expect(second).toMatchObject({ version: 2, nTrain: 6, nValidation: 2 });
    expect(second.hash).not.toBe(first.hash);
    study.decisions.decide(ids(1, 2), 'include', null);
    expect(study.datasets.freeze(options()).hash).toBe(first.hash);
    expect(study.datasets.freeze(options({ seed: 7 })).hash).not.toBe(first.hash);
    expect(study.datasets.find('Epilepsy')?.version).toBe(4);
    expect(study.datasets.freeze(options({ name: 'Other' })).version).toBe(1);
  });

  test('has a hash over its texts and its split', () => {
    const study = tempStudy();
    addRecords(study, many(5));
    const dataset = study.datasets.freeze(options({ text: 'abstract' }));
    const hash = createHash('sha256');
    const positions = {
      train: study.datasets.members(dataset.id, 'train'),
      validation: study.datasets.members(dataset.id, 'validation'),
    };
    for (const m of study.datasets.members(dataset.id)) {
      const position = positions[m.split].findIndex((p) => p.ordinal === m.ordinal);
      hash.update(`${m.split} ${position} ${Buffer.byteLength(m.text)}\n${m.text}`);
    }
    expect(dataset.hash).toBe(hash.digest('hex'));
  });

  test('cannot be changed even by hand', () => {
    const study = tempStudy();
    addRecords(study, many(5));
    study.datasets.freeze(options());
    const db = new SQLite(join(study.folder, 'study.sqlite'));
    for (const sql of [
      "UPDATE dataset_member SET text = 'x'",
      'DELETE FROM dataset_member',
      "UPDATE dataset SET name = 'x'",
    ]) {
      expect(() => db.exec(sql)).toThrow('a frozen dataset cannot be changed');
    }
    db.close();
  });

  test('the preview says what freezing would give', () => {
    const study = tempStudy();
    addRecords(study, [
      ...many(9),
      { title: 'Pre', abstract: 'print', flags: ['preprint'] },
      { title: 'E', abstract: '' },
    ]);
    expect(study.datasets.preview(options())).toMatchObject({
      nTrain: 8,
      nValidation: 2,
      withoutAbstract: 1,
      undecided: 10,
      flagged: { preprint: 1 },
    });
    expect(study.datasets.list()).toEqual([]);
  });

  test('nothing to train on is said, and nothing is stored', () => {
    const study = tempStudy();
    const empty: unknown = expect.objectContaining({ kind: 'user', code: 'DATASET_EMPTY' });
    expect(() => study.datasets.freeze(options())).toThrow(empty);
    addRecords(study, many(3));
    expect(() => study.datasets.freeze(options({ includeUndecided: false }))).toThrow(empty);
    expect(() => study.datasets.freeze(options({ query: 'kidney' }))).toThrow(/kidney/);
    study.decisions.decide(ids(1), 'include', null);
    expect(() => study.datasets.freeze(options({ includeUndecided: false }))).toThrow(
      expect.objectContaining({ code: 'SPLIT_TOO_SMALL' }),
    );
    expect(study.datasets.count()).toBe(0);
  });
});
