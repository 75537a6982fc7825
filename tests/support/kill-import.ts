import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import SQLite from 'better-sqlite3';
import { syntheticSet } from '../bench/synthetic-pubmed.ts';
import { article, articleSet } from '../unit/importers/support.ts';
import { randomFrom } from './mutate.ts';

export interface KillResult {
  readonly kills: number;
  /** Records that were committed when the process died, one number a kill. */
  readonly committed: readonly number[];
  /** Kills before the first and after the last batch, which prove less. */
  readonly outside: number;
}

/** Files of three formats with copies, versions, deletions and rejects: about `articles` records. */
function writeFiles(folder: string, articles: number): string[] {
  const { open, close, articles: source } = syntheticSet(11);
  const big = Array.from({ length: articles }, () => source.next().value);
  const versions = Array.from({ length: 60 }, (_, i) =>
    article({
      pmid: String(10_000_001 + i * 3),
      version: '2',
      abstract: `<AbstractText>Newer ${i}.</AbstractText>`,
    }),
  );
  const deleted = Array.from({ length: 40 }, (_, i) => `<PMID Version="1">${10_000_002 + i * 5}</PMID>`).join(
    '',
  );
  const nbib = Array.from(
    { length: articles / 4 },
    (_, i) =>
      `PMID- ${900 + i}\nTI  - Title ${i}\n${i % 9 === 0 ? '' : `AB  - Text ${i % 200} on seizures.\n`}\n`,
  );
  const rows = Array.from(
    { length: articles / 4 },
    (_, i) => `Title ${i},"Text ${i} on\nEEG.",10.1/${i % 300}`,
  );
  const files: [string, string | Uint8Array][] = [
    ['a.xml.gz', gzipSync(open + big.join('') + close, { level: 1 })],
    ['b.xml', articleSet(...versions, `<DeleteCitation>${deleted}</DeleteCitation>`)],
    ['c.nbib', nbib.join('')],
    ['d.csv', `Title,Abstract,DOI\n${rows.join('\n')}\n`],
  ];
  return files.map(([name, content]) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  });
}

function begin(study: string, files: readonly string[]): ChildProcess {
  const script = join(import.meta.dirname, 'kill-child.ts');
  return spawn(process.execPath, [script, study, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function toTheEnd(study: string, files: readonly string[]): Promise<void> {
  const child = begin(study, files);
  child.stdout?.resume();
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`the import of ${study} ended with ${String(child.exitCode)}`);
}

/** Kills an import a moment after it has told of `target` records, or lets it end before that. */
async function killAt(
  study: string,
  files: readonly string[],
  target: number,
  delayMs: number,
): Promise<void> {
  const child = begin(study, files);
  const ended = once(child, 'exit');
  const reached = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (
        chunk
          .toString()
          .trim()
          .split('\n')
          .map(Number)
          .some((n) => n >= target)
      )
        resolve();
    });
  });
  await Promise.race([reached, ended]);
  await Promise.race([new Promise((resolve) => setTimeout(resolve, delayMs)), ended]);
  child.kill('SIGKILL');
  await ended;
}

/** Everything an import writes, without the times at which it did. */
function contentOf(study: string): string {
  const db = new SQLite(join(study, 'study.sqlite'), { readonly: true });
  try {
    const tables = [
      'source',
      'reject',
      'record',
      'record_body',
      'decision',
      'record_term',
      'record_publication_type',
      'publication_type',
      'tombstone',
      'subject',
    ];
    const rows = tables.map((table) =>
      db
        .prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`)
        .all()
        .map((row) => Object.entries(row).filter(([column]) => !/_at$/.test(column)))
        .map((row) => JSON.stringify(row))
        .sort(),
    );
    const found = db
      .prepare("SELECT rowid FROM record_text_index WHERE record_text_index MATCH 'text OR newer OR ba'")
      .pluck()
      .all();
    return JSON.stringify([rows, found]);
  } finally {
    db.close();
  }
}

const BEGUN = Date.now();

/** The children run the sources as they are then: where those have changed since, the contents cannot be compared. */
function sourcesChanged(): string {
  const folder = join(import.meta.dirname, '../../src/main');
  const changed = globSync('**/*.ts', { cwd: folder }).filter(
    (f) => statSync(join(folder, f)).mtimeMs > BEGUN,
  );
  return changed.length === 0
    ? ''
    : ` (${changed.join(', ')} changed during the run, so that it proves nothing)`;
}

function expectEqual(found: string, expected: string, study: string): void {
  if (found === expected) return;
  let at = 0;
  while (expected[at] === found[at]) at += 1;
  const around = (text: string) => text.slice(Math.max(0, at - 120), at + 120);
  throw new Error(
    `${study} has other content than an undisturbed import${sourcesChanged()}:\n${around(found)}\ninstead of\n${around(expected)}`,
  );
}

/** What must hold of a study at any moment. Returns how many records it has; 0 where it is not made yet. */
function soundRecords(study: string): number {
  // Opened for writing: the log that the dead process left is to be read as its successor would.
  const db = new SQLite(join(study, 'study.sqlite'));
  const one = (sql: string) => Number(db.prepare(sql).pluck().get());
  try {
    if (one("SELECT count(*) FROM sqlite_master WHERE name = 'tombstone'") === 0) return 0;
    const faults: string[] = [];
    if (db.pragma('integrity_check', { simple: true }) !== 'ok') faults.push('damaged');
    if ((db.pragma('foreign_key_check') as unknown[]).length > 0) faults.push('a row points to nothing');
    if (
      one(
        'SELECT count(*) FROM record r LEFT JOIN record_body b ON b.record_id = r.id WHERE b.record_id IS NULL',
      ) > 0
    )
      faults.push('a record has no text');
    if (
      one('SELECT count(*) FROM record WHERE id > (SELECT coalesce(max(last_id), 0) FROM subject_pack)') > 0
    )
      faults.push('a record has no headings');
    if (one('SELECT count(*) FROM record') !== one('SELECT count(*) FROM record_text_index'))
      faults.push('a record is not in the index');
    if (one('SELECT count(*) FROM source WHERE n_read <> n_added + n_duplicates + n_rejected') > 0)
      faults.push('counts do not add up');
    if (one('SELECT sum(n_rejected) - (SELECT count(*) FROM reject) FROM source') !== 0)
      faults.push('a reject is missing');
    if (faults.length > 0) throw new Error(`${study}: ${faults.join(', ')}`);
    return one('SELECT count(*) FROM record');
  } finally {
    db.close();
  }
}

/**
 * Kills an import (SIGKILL) at random moments, `kills` times in all, each time on a new study or on one that was
 * killed before; checks what the dead process left, lets a successor finish, and compares all content with that
 * of an import nobody disturbed. Throws where anything differs.
 */
export async function killImports(kills: number, seed: number, articles = 1200): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-kill-'));
  const random = randomFrom(seed);
  const committed: number[] = [];
  try {
    const files = writeFiles(folder, articles);
    const straight = join(folder, 'straight');
    await toTheEnd(straight, files);
    const expected = contentOf(straight);
    const whole = soundRecords(straight);
    for (let round = 0; committed.length < kills; round += 1) {
      const study = join(folder, `study-${round}`);
      let before = 0;
      for (let k = 0; k < 2 && committed.length < kills; k += 1) {
        const target = before + random() * (whole - before) * 0.95;
        // A batch takes some ten milliseconds: the kill falls before, in and after its commit.
        await killAt(study, files, k === 0 && random() < 0.1 ? 0 : target, random() * 40);
        const now = soundRecords(study);
        if (now < before) throw new Error(`${study} lost ${before - now} records that were committed`);
        before = now;
        committed.push(now);
      }
      await toTheEnd(study, files);
      expectEqual(contentOf(study), expected, study);
      rmSync(study, { recursive: true, force: true });
    }
    return { kills, committed, outside: committed.filter((n) => n === 0 || n === whole).length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
