import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/main/store/database.ts';
import { createStudy, openStudy } from '../../../src/main/store/index.ts';
import { tempFolder, tempStudy } from '../../support/store.ts';

const coded = (code: string): unknown => expect.objectContaining({ code });

describe('a study on disk', () => {
  test('keeps its name and is written with a write-ahead log that closing folds in', () => {
    const folder = join(tempFolder(), 'Epilepsy');
    const study = createStudy(folder, 'Epilepsy, 2026', { synthetic: true });
    expect(study.notice).toBeNull();
    expect(existsSync(join(folder, 'study.sqlite-wal'))).toBe(true);
    study.close();
    expect(existsSync(join(folder, 'study.sqlite-wal'))).toBe(false);
    const again = openStudy(folder);
    expect(again.settings.meta()).toMatchObject({ name: 'Epilepsy, 2026', synthetic: true });
    again.close();
  });

  test('is not made over another study or over files', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'thesis.docx'), 'x');
    expect(() => createStudy(folder, 'S')).toThrow(coded('FOLDER_NOT_EMPTY'));
    const study = tempStudy();
    expect(() => createStudy(study.folder, 'S')).toThrow(coded('STUDY_EXISTS'));
  });

  test('a folder without a study is named in the error', () => {
    const folder = tempFolder();
    expect(() => openStudy(folder)).toThrow(coded('STUDY_NOT_FOUND'));
    expect(() => openStudy(folder)).toThrow(folder);
  });

  test('a damaged file is a store error, and lets go of the lock', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'study.sqlite'), 'this is not a database, it is a text of some length');
    expect(() => openStudy(folder)).toThrow(
      expect.objectContaining({ kind: 'store', code: 'STUDY_UNREADABLE' }),
    );
    expect(existsSync(join(folder, 'study.lock'))).toBe(false);
  });

  test('a row that is not as it should be names its table', () => {
    const study = tempStudy();
    const db = new SQLite(join(study.folder, 'study.sqlite'));
    db.prepare("INSERT INTO report (id, content, edited_at) VALUES (1, '{\"title\":1}', '2026')").run();
    db.close();
    expect(() => study.report.get()).toThrow(coded('STUDY_DAMAGED'));
    expect(() => study.report.get()).toThrow(/report/);
  });
});

describe('the lock', () => {
  test('a second opening in a living process is refused', () => {
    const study = tempStudy();
    expect(() => openStudy(study.folder)).toThrow(coded('STUDY_LOCKED'));
    expect(() => openStudy(study.folder)).toThrow(String(process.pid));
  });

  test('a lock of a process that is gone is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const folder = join(tempFolder(), 's');
    createStudy(folder, 'S').close();
    const lock = join(folder, 'study.lock');
    writeFileSync(lock, JSON.stringify({ pid: child.pid, host: hostname(), since: '2026-01-01T00:00:00Z' }));
    const study = openStudy(folder);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid });
    study.close();
    expect(existsSync(lock)).toBe(false);
  });

  test('a lock cut short by a crash is taken over; one of another computer is respected', () => {
    const folder = join(tempFolder(), 's');
    createStudy(folder, 'S').close();
    writeFileSync(join(folder, 'study.lock'), '{"pid":');
    openStudy(folder).close();
    writeFileSync(
      join(folder, 'study.lock'),
      JSON.stringify({ pid: 1, host: 'another-computer', since: '2026-01-01T00:00:00Z' }),
    );
    expect(() => openStudy(folder)).toThrow(/another-computer/);
  });
});

test('where a write-ahead log is not possible, a rollback journal is used and said', () => {
  // A database in memory refuses the log, as a network folder does.
  const { db, notice } = openDatabase(':memory:');
  expect(notice).toMatch(/network/);
  expect(db.pragma('journal_mode', { simple: true })).not.toBe('wal');
  expect(db.pragma('synchronous', { simple: true })).toBe(2);
  db.close();
});
