import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { splitLines } from '../../../src/main/importers/bytes.ts';
import { NBIB_LINES, toRecord } from '../../../src/main/importers/nbib.ts';
import { taggedRecords } from '../../../src/main/importers/tagged/lines.ts';
import type { ImportedRecord } from '../../../src/shared/domain/index.ts';
import { collectFile } from './support.ts';

/** Records that were invented for it, against what Bio.Medline reads (tests/reference/medline_reference.py). */
const FOLDER = join(import.meta.dirname, '../../reference');
const FILE = join(FOLDER, 'medline.nbib');
const Reference = z.object({ records: z.array(z.record(z.string(), z.array(z.string()))) });
const { records: expected } = Reference.parse(
  JSON.parse(readFileSync(join(FOLDER, 'medline-fields.json'), 'utf8')),
);

async function allRecords(): Promise<ImportedRecord[]> {
  async function* text(): AsyncGenerator<string> {
    yield await Promise.resolve(readFileSync(FILE, 'utf8'));
  }
  const found: ImportedRecord[] = [];
  for await (const record of taggedRecords(splitLines(text(), FILE), NBIB_LINES, FILE))
    found.push(toRecord(record));
  return found;
}

const some = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : [text]);
const starred = (name: string, major: boolean): string => (major ? `*${name}` : name);

/** The record under the tags of MEDLINE, as Biopython gives their values. */
function byTag(record: ImportedRecord, groups: readonly string[]): Record<string, readonly string[]> {
  const { volume, issue, pages } = record.bibliographic ?? {};
  return {
    PMID: some(record.pmid ?? undefined),
    TI: some(record.title),
    AB: some(record.abstract),
    AD: record.affiliations,
    AU: record.authors.filter((name) => !groups.includes(name)),
    CN: record.authors.filter((name) => groups.includes(name)),
    OT: record.keywords,
    MH: record.mesh.map((h) =>
      [starred(h.descriptor, h.major), ...h.qualifiers.map((q) => starred(q.name, q.major))].join('/'),
    ),
    PT: record.publicationTypes,
    LA: record.language === '' ? [] : record.language.split(', '),
    JT: some(record.journal),
    DP: some(record.date),
    VI: some(volume),
    IP: some(issue),
    PG: some(pages),
    LR: some(record.revised?.replaceAll('-', '')),
  };
}

describe('MEDLINE text', () => {
  it('is read as Bio.Medline reads it, but for what is said here', async () => {
    const found = await allRecords();
    expect(found.length).toBe(expected.length);
    for (const [i, record] of found.entries()) {
      const theirs = expected[i] ?? {};
      const ours = byTag(record, theirs['CN'] ?? []);
      for (const [tag, values] of Object.entries(ours)) {
        const reference = (theirs[tag] ?? []).map((text) =>
          // A star marks keywords of the main topic; a heading wrapped at a slash keeps no blank there.
          tag === 'OT' ? text.replace(/^\*/, '') : tag === 'MH' ? text.replace('/ ', '/') : text,
        );
        expect([record.pmid, tag, values]).toEqual([record.pmid, tag, reference]);
      }
    }
    // Biopython keeps persons and groups apart; here they stand in the order of the file.
    expect(found.map((r) => r.authors[0])).toEqual(['Doe JA', 'Müller J', 'The First Group']);
  });

  it('becomes records where it has abstracts', async () => {
    const { kind, records, rejects, lines } = await collectFile(FILE);
    expect([kind, records.length, lines.length]).toEqual(['nbib', 2, 2]);
    expect(rejects.map((r) => [r.key, r.reason])).toEqual([['PMID 90000003', 'No abstract']]);
  });
});
