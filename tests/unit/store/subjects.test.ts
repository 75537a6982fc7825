import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { RecordFilter } from '../../../src/shared/contracts/index.ts';
import { openStudy, type Study } from '../../../src/main/store/index.ts';
import { unpacked } from '../../../src/main/store/subjects.ts';
import { addRecords, tempFolder, tempStudy } from '../../support/store.ts';

const heading = (descriptor: string) => ({ descriptor, major: false, qualifiers: [] });
const counts = (study: Study, filter: Partial<RecordFilter> = {}) => {
  const { mesh, keywords } = study.curation.facets(RecordFilter.parse(filter));
  return { mesh, keywords };
};

test('headings and keywords are counted once a record, spelt as they first were', () => {
  const study = tempStudy();
  addRecords(study, [
    { title: 'A', mesh: [heading('Epilepsy'), heading('Sleep')], keywords: ['EEG', 'eeg ', ''] },
    { title: 'B', abstract: 'Other.', mesh: [heading('Epilepsy'), heading('epilepsy')], keywords: ['Eeg'] },
  ]);
  expect(counts(study)).toEqual({
    mesh: [
      { value: 'Epilepsy', count: 2 },
      { value: 'Sleep', count: 1 },
    ],
    keywords: [{ value: 'EEG', count: 2 }],
  });
  const chosen = counts(study, { mesh: ['sleep'], keywords: ['eeg'] });
  // Each kind under the other's condition; what was chosen stays, and nothing is invented for what nobody has.
  expect(chosen.mesh).toContainEqual({ value: 'Epilepsy', count: 2 });
  expect(chosen.keywords).toEqual([{ value: 'EEG', count: 1 }]);
  expect(counts(study, { query: 'zebra', mesh: ['Sleep'] }).mesh).toEqual([{ value: 'Sleep', count: 0 }]);
  expect(study.curation.ids(RecordFilter.parse({ mesh: ['Nothing'] }))).toEqual([]);
});

test('the fifty most frequent of a kind are named', () => {
  const study = tempStudy();
  addRecords(
    study,
    Array.from({ length: 80 }, (_, i) => ({
      title: `T${i}`,
      abstract: `Text ${i}.`,
      keywords: Array.from({ length: 80 - i }, (_, k) => `topic ${k}`),
    })),
  );
  expect(counts(study).keywords).toEqual(
    Array.from({ length: 50 }, (_, k) => ({ value: `topic ${k}`, count: 80 - k })),
  );
  expect(counts(study, { keywords: ['topic 79'] }).keywords.at(-1)).toEqual({ value: 'topic 79', count: 1 });
});

test('records of a study from before there were packs get theirs, and later ones follow', () => {
  const folder = join(tempFolder(), 's');
  const study = tempStudy(folder);
  addRecords(study, [
    { title: 'A', mesh: [heading('Sleep')], keywords: ['EEG'] },
    { title: 'B', abstract: 'Other.', keywords: ['EEG'] },
  ]);
  study.close();
  const db = new SQLite(join(folder, 'study.sqlite'));
  db.exec('DELETE FROM subject_pack; DELETE FROM subject');
  db.close();
  const again = openStudy(folder);
  addRecords(again, [{ title: 'C', abstract: 'New.', mesh: [heading('Sleep')] }], 'b.xml');
  expect(counts(again)).toEqual({
    mesh: [{ value: 'Sleep', count: 2 }],
    keywords: [{ value: 'EEG', count: 2 }],
  });
  again.close();
});

test('what is rolled back leaves no numbers behind', () => {
  const study = tempStudy();
  addRecords(study, [{ title: 'A', keywords: ['first'] }]);
  expect(() =>
    study.transaction(() => {
      addRecords(study, [{ title: 'B', abstract: 'b', keywords: ['lost', 'gone'] }], 'b.xml');
      throw new Error('no');
    }),
  ).toThrow('no');
  addRecords(study, [{ title: 'C', abstract: 'c', keywords: ['gone', 'kept'] }], 'c.xml');
  expect(counts(study).keywords).toEqual([
    { value: 'first', count: 1 },
    { value: 'gone', count: 1 },
    { value: 'kept', count: 1 },
  ]);
});

test('a pack is read back record by record', () => {
  const pack = Uint32Array.from([4, 2, 9, 8, 5, 0, 9, 1, 7]);
  expect([...unpacked(pack)].map(([id, numbers]) => [id, [...numbers]])).toEqual([
    [4, [9, 8]],
    [5, []],
    [9, [7]],
  ]);
});
