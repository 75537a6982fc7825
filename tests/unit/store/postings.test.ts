import { join } from 'node:path';
import SQLite, { type Database } from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { createPostings } from '../../../src/main/store/record-index/postings.ts';
import { tempFolder } from '../../support/store.ts';

/** Whole numbers that look random and are the same everywhere. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** As the migrations make it, with small pages where told to, so that lists and words run over their ends. */
function textIndex(pageBytes?: number): Database {
  const db = new SQLite(join(tempFolder(), 'index.sqlite'));
  db.exec(`CREATE VIRTUAL TABLE found USING fts5(title, abstract, content='', contentless_delete=1,
    tokenize='unicode61 remove_diacritics 2')`);
  if (pageBytes !== undefined) db.exec(`INSERT INTO found (found, rank) VALUES ('pgsz', ${pageBytes})`);
  return db;
}

const SYLLABLES = ['a', 'ba', 'cu', 'de', 'ex', 'fi', 'go', 'z9'];

/** Texts of which some words are everywhere, some in one text, some long, and some repeated hundreds of times. */
function fill(db: Database, random: (below: number) => number, from: number, n: number): void {
  const insert = db.prepare('INSERT INTO found (rowid, title, abstract) VALUES (?, ?, ?)');
  const word = () =>
    Array.from({ length: 1 + random(3) }, () => SYLLABLES[Math.floor(random(64) ** 2 / 512)] ?? 'a').join('');
  const text = (words: number) => Array.from({ length: words }, word).join(' ');
  db.transaction(() => {
    for (let i = 0; i < n; i++) {
      const odd = [random(90) === 0 ? 'ba '.repeat(700) : '', random(60) === 0 ? 'x'.repeat(900) : ''].join(
        ' ',
      );
      insert.run(from + i * 20 + random(20), `${text(3)} É`, `${odd} ${text(random(60))} é1`);
    }
  })();
}

function expectSame(db: Database, words: readonly (readonly [string, boolean])[]): void {
  const last = Number(db.prepare('SELECT max(id) FROM found_docsize').pluck().get());
  const postings = createPostings(db, 'found');
  const match = db.prepare<[string], number>('SELECT rowid FROM found WHERE found MATCH ?').pluck();
  for (const [word, prefix] of words) {
    const marks = postings.marks(word, prefix, last + 1);
    expect(marks, word).not.toBeNull();
    const ids: number[] = [];
    marks?.forEach((mark, id) => mark === 1 && ids.push(id));
    expect(ids, word).toEqual(match.all(`"${word}"${prefix ? ' *' : ''}`));
  }
}

describe('lists of the full-text index', () => {
  test.each([[undefined], [64], [400]])('are those that MATCH gives, pages of %s bytes', (bytes) => {
    const db = textIndex(bytes);
    const random = numbers(bytes ?? 1);
    const words = [
      ...SYLLABLES,
      'aa',
      'baba',
      'cude',
      'zzz',
      'x',
      'x'.repeat(900),
      'e',
      'e1',
      '0',
      'fifigo',
    ].flatMap((word) => [
      [word, false],
      [word, true],
    ]) as (readonly [string, boolean])[]; // pairs of a word and a flag
    for (const [round, n] of [1, 40, 7, 150].entries()) {
      fill(db, random, 1 + round * 40_000, n);
      expectSame(db, words);
    }
    db.exec("INSERT INTO found (found) VALUES ('optimize')");
    expectSame(db, words);
    db.close();
  });

  test('see what was written since, and leave to MATCH what they cannot tell', () => {
    const db = textIndex();
    const insert = db.prepare('INSERT INTO found (rowid, title, abstract) VALUES (?, ?, ?)');
    insert.run(1, 'sleep', '');
    const postings = createPostings(db, 'found');
    expect(postings.marks('sleep', false, 4)).toEqual(Uint8Array.of(0, 1, 0, 0));
    insert.run(3, 'sleep', 'more');
    expect(postings.marks('sleep', false, 4)).toEqual(Uint8Array.of(0, 1, 0, 1));
    expect(postings.marks('sleep', false, 2)).toEqual(Uint8Array.of(0, 1));
    db.transaction(() => {
      insert.run(2, 'sleep', '');
      expect(postings.marks('sleep', false, 4)).toBeNull();
    })();
    expect(postings.marks('sleep', false, 4)).toEqual(Uint8Array.of(0, 1, 1, 1));
    db.exec('DELETE FROM found WHERE rowid = 2');
    expect(postings.marks('sleep', false, 4)).toBeNull();
    db.close();
  });

  test('are not read from an index of another layout', () => {
    const db = new SQLite(':memory:');
    db.exec("CREATE VIRTUAL TABLE plain USING fts5(title); INSERT INTO plain VALUES ('sleep')");
    expect(createPostings(db, 'plain').marks('sleep', false, 2)).toBeNull();
    db.close();
  });
});
