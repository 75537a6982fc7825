import SQLite, { type Database } from 'better-sqlite3';
import { z } from 'zod';
import { StoreError } from '../../shared/errors/index.ts';

export interface OpenedDatabase {
  readonly db: Database;
  /** Set when write-ahead logging is not possible where the file lies. */
  readonly notice: string | null;
}

/**
 * Opens (or creates) a database file. Write-ahead logging needs shared memory, which network and some
 * synchronised folders lack: the journal mode is read back, and a rollback journal used instead.
 */
export function openDatabase(file: string): OpenedDatabase {
  let db: Database;
  try {
    db = new SQLite(file);
    db.pragma('busy_timeout = 5000');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    throw new StoreError(
      'STUDY_UNREADABLE',
      `${file} could not be opened as a study: ${messageOf(error)}.`,
      'Check that the folder is a study and can be read and written.',
      error,
    );
  }
  const wal = journalMode(db, 'WAL');
  if (wal) db.pragma('synchronous = NORMAL');
  else {
    journalMode(db, 'DELETE');
    db.pragma('synchronous = FULL');
  }
  db.pragma('foreign_keys = ON');
  // Fewer, larger checkpoints: imports write much in a row.
  db.pragma('wal_autocheckpoint = 4000');
  db.pragma('temp_store = MEMORY');
  db.pragma('cache_size = -65536');
  db.pragma('mmap_size = 268435456');
  return {
    db,
    notice: wal
      ? null
      : 'The study lies on a network or synchronised folder: it is written more slowly, and must not be opened by two computers at once.',
  };
}

function journalMode(db: Database, mode: 'WAL' | 'DELETE'): boolean {
  try {
    return String(db.pragma(`journal_mode = ${mode}`, { simple: true })).toUpperCase() === mode;
  } catch {
    return false;
  }
}

const Fault = z.object({ integrity_check: z.string() });
const Orphan = z.object({ table: z.string(), rowid: z.number().nullable(), parent: z.string() });

/** SQLite's own checks of the file and of every reference; empty when both find nothing. */
export function checkDatabase(db: Database): string[] {
  const faults = z.array(Fault).parse(db.pragma('integrity_check'));
  const orphans = z.array(Orphan).parse(db.pragma('foreign_key_check'));
  return [
    ...faults.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
    ...orphans.map((row) => `${row.table} row ${row.rowid ?? '?'} refers to a missing ${row.parent}`),
  ];
}

/** Writes everything into the main file and closes. */
export function closeDatabase(db: Database): void {
  if (!db.open) return;
  db.pragma('optimize');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
