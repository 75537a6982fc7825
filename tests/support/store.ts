import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ImportedRecord, SourceId } from '../../src/shared/domain/index.ts';
import { compareCopies, contentHash, identityKeys } from '../../src/main/importers/index.ts';
import { type NewRecord, type Study, createStudy } from '../../src/main/store/index.ts';

/** A folder of its own, removed when the test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'engram-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new study on disk, closed when the test ends. */
export function tempStudy(folder: string = join(tempFolder(), 'study')): Study {
  const study = createStudy(folder, 'Test study');
  onTestFinished(() => study.close());
  return study;
}

export function record(changes: Partial<ImportedRecord> = {}): ImportedRecord {
  return {
    pmid: null,
    version: 1,
    doi: null,
    title: 'A title',
    abstract: 'An abstract.',
    sections: [],
    journal: 'Synthetic Neurology',
    year: 2020,
    date: '2020',
    authors: [],
    affiliations: [],
    keywords: [],
    mesh: [],
    publicationTypes: [],
    language: 'eng',
    url: '',
    flags: [],
    ...changes,
  };
}

function newRecord(changes: Partial<ImportedRecord> = {}): NewRecord {
  const made = record(changes);
  return { record: made, keys: identityKeys(made), contentHash: contentHash(made) };
}

/** Adds records as one source, as an import does; returns its id. */
export function addRecords(
  study: Study,
  records: readonly Partial<ImportedRecord>[],
  name = 'file.xml',
): SourceId {
  return study.transaction(() => {
    const source = study.sources.begin(name, 'pubmed-xml', null);
    const counts = study.records.add(source.id, records.map(newRecord), compareCopies);
    study.sources.advance(source.id, { items: records.length, read: records.length, rejected: 0, ...counts });
    study.sources.setStatus(source.id, 'complete', null);
    return source.id;
  });
}
