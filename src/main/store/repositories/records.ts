import { z } from 'zod';
import type { RecordDetail } from '../../../shared/domain/index.ts';
import { Decision, ImportedRecord, RecordFlag, RecordId, SourceId } from '../../../shared/domain/index.ts';
import type { RecordIndex } from '../record-index/index.ts';
import { json, now, query } from '../rows.ts';
import type { SubjectPacker } from '../subjects.ts';
import { type StoreContext, found } from './base.ts';
import { type CompareCopies, createCopyGroups, type NewRecord } from './copies.ts';
import type { TermRepository } from './terms.ts';

const DELETED_REASON = 'Deleted from PubMed';

/** The parts of a record that are only shown in full. */
const Detail = ImportedRecord.pick({
  doi: true,
  sections: true,
  otherAbstracts: true,
  date: true,
  authors: true,
  affiliations: true,
  keywords: true,
  mesh: true,
  publicationTypes: true,
  language: true,
  url: true,
  bibliographic: true,
  revised: true,
});
const Row = z.object({
  id: RecordId,
  source_id: SourceId,
  source_name: z.string(),
  duplicate_of: RecordId.nullable(),
  pmid: z.string().nullable(),
  version: z.number(),
  content_hash: z.string(),
  year: z.number().nullable(),
  title: z.string(),
  journal: z.string(),
  flags: json(z.array(RecordFlag)),
  imported_at: z.string(),
  abstract: z.string(),
  detail: json(Detail),
  decision: Decision,
  reason: z.string().nullable(),
  note: z.string(),
});
type Stored = z.output<typeof Row>;
const CopyRow = z.object({ id: RecordId, title: z.string(), sourceName: z.string() });
export interface RecordRepository {
  /**
   * Adds records of a source. One that says exactly what a stored record says is only counted; one with
   * an identity key of a stored record is stored in its group, of which the better copy stands for all. One
   * that has keys of several groups makes them one. Call it inside a transaction.
   */
  add(
    sourceId: SourceId,
    records: readonly NewRecord[],
    compare: CompareCopies,
  ): { added: number; duplicates: number };
  /**
   * Excludes records that PubMed deleted, and those that will come under these PMIDs, unless the user decided
   * on them. Returns how many there are now.
   */
  markDeleted(sourceId: SourceId, pmids: readonly string[]): number;
  /** Takes a copy out of its group, to stand for itself; undoable. */
  separate(id: RecordId): void;
  get(id: RecordId): RecordDetail;
  /** Some records in the order of their ids given; those that are not there are left out. */
  several(ids: Uint32Array): RecordDetail[];
  /** Records to screen: one of each group of copies. */
  count(): number;
  undecided(): number;
}

export function createRecordRepository(
  { db, undo }: StoreContext,
  terms: TermRepository,
  index: RecordIndex,
  subjects: SubjectPacker,
): RecordRepository {
  const copies = createCopyGroups(db);
  const identical = db.prepare<[string], number>('SELECT id FROM record WHERE content_hash = ?').pluck();
  const insertRecord = db.prepare(
    `INSERT INTO record (source_id, duplicate_of, pmid, version, doi_key, text_key, content_hash, year, has_abstract,
       title, journal, flags, language, imported_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertBody = db.prepare('INSERT INTO record_body (record_id, abstract, detail) VALUES (?, ?, ?)');
  const insertIndex = db.prepare('INSERT INTO record_text_index (rowid, title, abstract) VALUES (?, ?, ?)');
  const insertType = db.prepare('INSERT INTO publication_type (value) VALUES (?) ON CONFLICT DO NOTHING');
  const linkType = db.prepare(
    `INSERT INTO record_publication_type (publication_type_id, record_id)
     SELECT id, ? FROM publication_type WHERE value = ? ON CONFLICT DO NOTHING`,
  );
  const isDeleted = db.prepare<[string], number>('SELECT 1 FROM tombstone WHERE pmid = ?').pluck();
  const bury = db.prepare<[string, number, string]>(
    'INSERT INTO tombstone (pmid, source_id, deleted_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const ofPmid = db.prepare<[string], number>('SELECT id FROM record WHERE pmid = ?').pluck();
  const DETAIL = `SELECT r.*, s.name AS source_name, b.abstract, b.detail,
       coalesce(d.decision, 'undecided') AS decision, d.reason, coalesce(d.note, '') AS note
     FROM record r JOIN source s ON s.id = r.source_id JOIN record_body b ON b.record_id = r.id
       LEFT JOIN decision d ON d.record_id = r.id`;
  const select = query<[number], typeof Row>(db, `${DETAIL} WHERE r.id = ?`, Row);
  const selectSeveral = query<[string], typeof Row>(
    db,
    DETAIL.replace('FROM record r', 'FROM json_each(?) j CROSS JOIN record r ON r.id = j.value') +
      ' ORDER BY j.key',
    Row,
  );
  const selectCopied = db
    .prepare<[string], number>(
      'SELECT DISTINCT duplicate_of FROM record WHERE duplicate_of IN (SELECT value FROM json_each(?))',
    )
    .pluck();
  const selectCopies = query<[number, number, number], typeof CopyRow>(
    db,
    `SELECT r.id, r.title, s.name AS sourceName FROM record r JOIN source s ON s.id = r.source_id
     WHERE (r.id = ? OR r.duplicate_of = ?) AND r.id <> ? ORDER BY r.id`,
    CopyRow,
  );

  const copiesOf = (row: Stored) => {
    const group = row.duplicate_of ?? row.id;
    return selectCopies.all(group, group, row.id);
  };

  const insert = (
    sourceId: SourceId,
    { record, keys, contentHash }: NewRecord,
    group: number | null,
  ): number => {
    const id = Number(
      insertRecord.run(
        sourceId,
        group,
        record.pmid,
        record.version,
        keys.doi,
        keys.text,
        contentHash,
        record.year,
        record.abstract.trim() === '' ? 0 : 1,
        record.title,
        record.journal,
        JSON.stringify(record.flags),
        record.language,
        now(),
      ).lastInsertRowid,
    );
    insertBody.run(id, record.abstract, JSON.stringify(Detail.parse(record)));
    insertIndex.run(id, record.title, record.abstract);
    for (const type of record.publicationTypes) {
      insertType.run(type);
      linkType.run(id, type);
    }
    subjects.take(id, record);
    terms.countRecord(id, record.title, record.abstract);
    copies.excludeFlagged(id, record.flags);
    if (record.pmid !== null && isDeleted.get(record.pmid) !== undefined) {
      copies.exclude(id, DELETED_REASON);
    }
    return id;
  };

  return {
    add: (sourceId, records, compare) => {
      let added = 0;
      let duplicates = 0;
      subjects.begin();
      for (const item of records) {
        if (identical.get(item.contentHash) !== undefined) {
          duplicates++;
          continue;
        }
        const [first, ...others] = copies.of(item);
        if (first === undefined) {
          insert(sourceId, item, null);
          added++;
          continue;
        }
        duplicates++;
        const group = copies.merged([first, ...others], compare);
        const better = copies.isBetter(item, group, compare);
        const id = insert(sourceId, item, better ? null : group);
        if (better) copies.standFor(id, group);
        else copies.shareFlags(group, item.record.flags);
      }
      subjects.store();
      return { added, duplicates };
    },
    markDeleted: (sourceId, pmids) => {
      let marked = 0;
      for (const pmid of pmids) {
        bury.run(pmid, sourceId, now());
        for (const id of ofPmid.all(pmid)) marked += Number(copies.exclude(id, DELETED_REASON));
      }
      return marked;
    },
    separate: (id) => {
      const record = found(select.get(id), 'record', id);
      if (record.duplicate_of === null) return;
      undo.edit('Separate a record from its copies', 'records', () => copies.leave(id));
    },
    get: (id) => detailOf(found(select.get(id), 'record', id), copiesOf),
    several: (ids) => {
      const list = JSON.stringify([...ids]);
      const copied = new Set(selectCopied.all(list));
      return selectSeveral
        .all(list)
        .map((row) => detailOf(row, row.duplicate_of !== null || copied.has(row.id) ? copiesOf : () => []));
    },
    count: () =>
      Number(
        db
          .prepare(
            `SELECT (SELECT count(*) FROM record) - (SELECT count(*) FROM record WHERE duplicate_of IS NOT NULL)`,
          )
          .pluck()
          .get(),
      ),
    undecided: () =>
      index
        .decided()
        .filter(({ decision }) => decision === 'undecided')
        .reduce((sum, { n }) => sum + n, 0),
  };
}

function detailOf(row: Stored, copiesOf: (row: Stored) => RecordDetail['copies']): RecordDetail {
  return {
    ...row.detail,
    id: row.id,
    sourceId: row.source_id,
    sourceName: row.source_name,
    importedAt: row.imported_at,
    contentHash: row.content_hash,
    pmid: row.pmid,
    version: row.version,
    title: row.title,
    abstract: row.abstract,
    journal: row.journal,
    year: row.year,
    flags: row.flags,
    decision: row.decision,
    reason: row.reason,
    note: row.note,
    duplicateOf: row.duplicate_of,
    copies: copiesOf(row),
  };
}
