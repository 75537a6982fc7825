import { join } from 'node:path';
import SQLite, { type Database } from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import {
  MIGRATIONS,
  SCHEMA_VERSION,
  migrate,
  schemaVersion,
} from '../../../src/main/store/migrations/index.ts';
import { createStudy, openStudy } from '../../../src/main/store/index.ts';
import { tempFolder } from '../../support/store.ts';

/** Rows as the predecessor would have written them, and what must be true of them afterwards. */
const PROOFS: Readonly<Record<number, { before: (db: Database) => void; after: (db: Database) => void }>> = {
  1: {
    before: () => undefined,
    after: (db) => {
      db.prepare("INSERT INTO study (id, uuid, name, created_at) VALUES (1, 'u', 'S', '2026')").run();
      expect(db.prepare('SELECT name FROM study').pluck().get()).toBe('S');
    },
  },
  2: {
    before: (db) => {
      db.exec(`
        INSERT INTO source (id, name, kind, imported_at, status) VALUES (1, 'a.xml', 'pubmed-xml', '2026', 'complete');
        INSERT INTO record (id, source_id, version, content_hash, has_abstract, title, journal, flags, imported_at)
          VALUES (7, 1, 1, 'h', 1, 'T', 'J', '[]', '2026');
        INSERT INTO decision (record_id, decision, reason, decided_at) VALUES (7, 'exclude', 'Off topic', '2026');`);
    },
    after: (db) => {
      expect(db.prepare('SELECT decision, reason FROM decision WHERE record_id = 7').get()).toEqual({
        decision: 'exclude',
        reason: 'Off topic',
      });
      db.prepare("INSERT INTO undo_step (label, what, at) VALUES ('x', 'records', '2026')").run();
    },
  },
  3: {
    before: (db) => {
      db.exec(
        "INSERT INTO source (id, name, kind, imported_at, status) VALUES (1, 'a.xml', 'pubmed-xml', '2026', 'complete')",
      );
    },
    after: (db) => {
      db.prepare("INSERT INTO tombstone (pmid, source_id, deleted_at) VALUES ('7', 1, '2026')").run();
      expect(db.prepare('SELECT name FROM source').pluck().all()).toEqual(['a.xml']);
    },
  },
  4: {
    before: (db) => {
      db.exec(
        `INSERT INTO source (id, name, kind, imported_at, status) VALUES (1, 'a', 'csv', '2026', 'complete')`,
      );
    },
    after: (db) => {
      db.exec(`INSERT INTO source (id, name, kind, imported_at, status)
          VALUES (2, 'PubMed: x', 'pubmed-search', '2026', 'running');
        INSERT INTO pubmed_search (source_id, query, translation, count, searched_at, last_day)
          VALUES (2, 'x', 'x', 1, '2026', '2026/01/01');
        INSERT INTO pubmed_article (source_id, pmid, state) VALUES (2, 5, 'wanted')`);
      expect(db.prepare('SELECT count(*) FROM source').pluck().get()).toBe(2);
      expect(() => db.exec(`UPDATE pubmed_article SET state = 'lost'`)).toThrow();
    },
  },
  5: {
    before: (db) => {
      db.exec(`
        INSERT INTO source (id, name, kind, imported_at, status) VALUES (1, 'a.xml', 'pubmed-xml', '2026', 'complete');
        INSERT INTO record (id, source_id, version, content_hash, has_abstract, title, journal, flags, imported_at)
          VALUES (7, 1, 1, 'h', 1, 'T', 'J', '[]', '2026'), (8, 1, 1, 'i', 1, 'U', 'J', '[]', '2026');
        INSERT INTO record_body (record_id, abstract, detail) VALUES (7, 'a', '{"language":"fre"}'), (8, 'b', '{}');`);
    },
    after: (db) => {
      expect(db.prepare('SELECT id, language FROM record ORDER BY id').raw().all()).toEqual([
        [7, 'fre'],
        [8, ''],
      ]);
    },
  },
  6: {
    before: (db) => {
      db.exec(`
        INSERT INTO dataset (id, name, version, created_at, options, n_train, n_validation, flow, terms, hash)
          VALUES (1, 'D', 1, '2026', '{}', 1, 1, '{}', '[]', 'h');
        INSERT INTO term (id, text) VALUES (1, 'EEG');`);
    },
    after: (db) => {
      expect(db.prepare('SELECT counted FROM term').pluck().get()).toBe(1);
      expect(() => db.exec("UPDATE dataset SET hash = 'x'")).toThrow(/frozen/);
      expect(() => db.exec('DELETE FROM dataset')).toThrow(/frozen/);
      db.exec(`INSERT INTO dataset (id, name, version, created_at, options, n_train, n_validation, flow, terms, hash)
        VALUES (2, 'D', 2, '2026', '{}', 1, 1, '{}', '[]', '')`);
      db.exec("UPDATE dataset SET hash = 'y' WHERE id = 2; DELETE FROM dataset WHERE id = 2");
    },
  },
  7: {
    before: (db) => {
      db.exec(`
        INSERT INTO sweep (id, name, spec, status, created_at) VALUES (1, 'S', '{}', 'complete', '2026');
        INSERT INTO sweep_block (sweep_id, grid_index, pair_index, shape, zero, trivial)
          VALUES (1, 0, 0, '[1]', x'00', x'00');
        INSERT INTO sweep_value (sweep_id, grid_index, pair_index, metric_index, clean, corrupted, raw)
          VALUES (1, 0, 0, 0, 2.5, 0.5, x'000000000000F03F');`);
    },
    after: (db) => {
      expect(db.prepare('SELECT clean, raw, draw_sd FROM sweep_value').raw().get()).toEqual([
        2.5,
        Buffer.from('000000000000F03F', 'hex'),
        null,
      ]);
    },
  },
  8: {
    before: (db) => {
      db.exec(`
        INSERT INTO source (id, name, kind, imported_at, status) VALUES (1, 'a.xml', 'pubmed-xml', '2026', 'complete');
        INSERT INTO record (id, source_id, version, content_hash, has_abstract, title, journal, flags, imported_at)
          VALUES (7, 1, 1, 'h', 1, 'T', 'J', '[]', '2026');`);
    },
    after: (db) => {
      db.exec(`INSERT INTO subject (kind, key, value) VALUES ('mesh', 'sleep', 'Sleep'), ('keyword', 'sleep', 'sleep');
        INSERT INTO subject_pack (first_id, last_id, n, numbers) VALUES (7, 7, 0, x'')`);
      expect(() =>
        db.exec(`INSERT INTO subject (kind, key, value) VALUES ('mesh', 'sleep', 'SLEEP')`),
      ).toThrow();
      expect(() => db.exec(`INSERT INTO subject (kind, key, value) VALUES ('other', 'x', 'x')`)).toThrow();
    },
  },
  9: {
    before: (db) => {
      db.exec(`
        INSERT INTO sweep (id, name, spec, status, created_at) VALUES (1, 'S', '{}', 'complete', '2026'), (2, 'T', '{}', 'complete', '2026');
        INSERT INTO comparison (id, a, b, name, created_at, removed_at)
          VALUES (3, 1, 2, 'C', '2026', NULL), (4, 2, 1, 'D', '2026', '2027');`);
    },
    after: (db) => {
      const rows = db.prepare('SELECT id, a, b, a_external, b_external, name, removed_at FROM comparison');
      expect(rows.raw().all()).toEqual([
        [3, 1, 2, null, null, 'C', null],
        [4, 2, 1, null, null, 'D', '2027'],
      ]);
      db.exec(`INSERT INTO external_result (id, name, file, sha256, bytes, content, imported_at)
          VALUES (1, 'X', 'x.json', 'h', 1, '{}', '2026');
        INSERT INTO comparison (a, b_external, name, created_at) VALUES (1, 1, 'E', '2026');`);
      expect(() =>
        db.exec("INSERT INTO comparison (a, a_external, b, name, created_at) VALUES (1, 1, 2, 'F', '2026')"),
      ).toThrow(/CHECK/);
    },
  },
  10: {
    before: (db) => {
      db.exec(
        "INSERT INTO source (id, name, kind, imported_at, status, position) VALUES (1, 'a.xml', 'pubmed-xml', '2026', 'running', 200)",
      );
    },
    after: (db) => {
      expect(db.prepare('SELECT position, reading FROM source').raw().all()).toEqual([[200, null]]);
    },
  },
};

describe('migrations', () => {
  test('are numbered from 1 without a gap', () => {
    expect(MIGRATIONS.map((m) => m.version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
  });

  test.each(MIGRATIONS.map((m) => [m.version, m.name] as const))(
    '%i (%s) keeps what was there',
    (version) => {
      const db = new SQLite(':memory:');
      db.pragma('foreign_keys = ON');
      const proof = PROOFS[version];
      expect(proof, 'every migration needs its proof').toBeDefined();
      migrate(db, version - 1);
      proof!.before(db);
      migrate(db, version);
      expect(schemaVersion(db)).toBe(version);
      proof!.after(db);
      expect(db.pragma('foreign_key_check')).toEqual([]);
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      db.close();
    },
  );

  test('a failing step leaves the predecessor as it was', () => {
    const db = new SQLite(':memory:');
    migrate(db, 1);
    db.exec('CREATE TABLE model (x)');
    expect(() => migrate(db)).toThrow();
    expect(schemaVersion(db)).toBe(1);
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'artifact'").pluck().get()).toBe(0);
  });

  test('all ordinary tables are STRICT', () => {
    const db = new SQLite(':memory:');
    migrate(db);
    const tables = db.pragma('table_list') as { name: string; type: string; strict: number }[];
    const lax = tables.filter((t) => t.type === 'table' && t.strict === 0 && !t.name.startsWith('sqlite_'));
    expect(lax.map((t) => t.name)).toEqual([]);
    expect(tables.length).toBeGreaterThan(20);
  });

  test('a study of a later version is refused with its reason', () => {
    const folder = join(tempFolder(), 's');
    createStudy(folder, 'S').close();
    const db = new SQLite(join(folder, 'study.sqlite'));
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    expect(() => openStudy(folder)).toThrow(
      expect.objectContaining({ kind: 'store', code: 'STUDY_TOO_NEW' }),
    );
    // The lock was let go: the next error is the same, not STUDY_LOCKED.
    expect(() => openStudy(folder)).toThrow(expect.objectContaining({ code: 'STUDY_TOO_NEW' }));
  });
});
