import { z } from 'zod';
import { TermCount } from '../../../shared/domain/index.ts';
import { InvariantError } from '../../../shared/errors/index.ts';
import { type TermMatcher, fold, termMatcher } from '../../../shared/text/index.ts';
import { query } from '../rows.ts';
import { atOnce, type Steps } from '../steps.ts';
import { type StoreContext, counted } from './base.ts';
import type { SettingRepository } from './settings.ts';

/** A term whose mentions are counted for every record of the study. */
interface CountedTerm {
  readonly id: number;
  readonly text: string;
}

export interface TermRepository {
  /** The study's terms in their order, counted. */
  active(): CountedTerm[];
  /** Changes the list; undoable. New terms are counted over all records; equal ones (folded) kept once. */
  set(terms: readonly string[]): void;
  /** The same in steps; the list changes with the last one. */
  setSteps(terms: readonly string[]): Steps<void>;
  /** How often two terms stand in one article, over the records to screen; by place in the list, `a` < `b`. */
  together(): { a: number; b: number; articles: number }[];
  /** Mentions and articles of each term a year, over the records to screen. */
  byYear(): { term: string; year: number; mentions: number; articles: number }[];
  /** Mentions and articles of each active term over the records to screen (one of each group of copies). */
  statistics(): TermCount[];
  /** Counts all known terms in a record just added. */
  countRecord(recordId: number, title: string, abstract: string): void;
}

const TermRow = z.object({ id: z.number(), text: z.string() });
const TogetherRow = z.object({ a: z.number(), b: z.number(), articles: z.number() });
const YearRow = z.object({ term: z.string(), year: z.number(), mentions: z.number(), articles: z.number() });

/** Records whose terms are counted between two pauses. */
const CHUNK = 500;

/** What of a record the counts are over. */
function countedText(title: string, abstract: string): string {
  return `${title}\n${abstract}`;
}

export function createTermRepository(
  { db, undo }: StoreContext,
  settings: SettingRepository,
): TermRepository {
  const selectAll = query<[], typeof TermRow>(
    db,
    'SELECT id, text FROM term WHERE counted = 1 ORDER BY id',
    TermRow,
  );
  /** Those being counted too: a record that comes in meanwhile is counted at once. */
  const selectKnown = query<[], typeof TermRow>(db, 'SELECT id, text FROM term ORDER BY id', TermRow);
  const insertCount = db.prepare<[number, number, number]>(
    'INSERT OR REPLACE INTO record_term (term_id, record_id, mentions) VALUES (?, ?, ?)',
  );
  const selectStatistics = query<[string], typeof TermCount>(
    db,
    `SELECT j.value AS term, coalesce(sum(rt.mentions), 0) AS mentions, count(rt.record_id) AS articles
     FROM json_each(?) j
       JOIN term t ON t.text = j.value
       LEFT JOIN (record_term rt JOIN record r ON r.id = rt.record_id AND r.duplicate_of IS NULL)
         ON rt.term_id = t.id
     GROUP BY j.key ORDER BY j.key`,
    TermCount,
  );
  const beginTerm = db
    .prepare<[string], number>(
      `INSERT INTO term (text, counted) VALUES (?, 0) ON CONFLICT (text) DO UPDATE SET text = excluded.text
       RETURNING id`,
    )
    .pluck();
  const finishTerm = db.prepare<[number]>('UPDATE term SET counted = 1 WHERE id = ?');
  const selectLast = db.prepare<[], number | null>('SELECT max(id) FROM record').pluck();
  const selectTexts = db.prepare<[number, number], { id: number; title: string; abstract: string }>(
    `SELECT r.id, r.title, b.abstract FROM record r JOIN record_body b ON b.record_id = r.id
     WHERE r.id > ? ORDER BY r.id LIMIT ?`,
  );
  const selectTogether = query<[string, string], typeof TogetherRow>(
    db,
    `SELECT j.key AS a, k.key AS b, count(*) AS articles
     FROM json_each(?) j JOIN term t ON t.text = j.value JOIN record_term x ON x.term_id = t.id
       JOIN record r ON r.id = x.record_id AND r.duplicate_of IS NULL
       JOIN json_each(?) k ON k.key > j.key JOIN term u ON u.text = k.value
       JOIN record_term y ON y.term_id = u.id AND y.record_id = x.record_id
     GROUP BY j.key, k.key ORDER BY j.key, k.key`,
    TogetherRow,
  );
  const selectByYear = query<[string], typeof YearRow>(
    db,
    `SELECT j.value AS term, r.year, sum(x.mentions) AS mentions, count(*) AS articles
     FROM json_each(?) j JOIN term t ON t.text = j.value JOIN record_term x ON x.term_id = t.id
       JOIN record r ON r.id = x.record_id AND r.duplicate_of IS NULL AND r.year IS NOT NULL
     GROUP BY j.key, r.year ORDER BY j.key, r.year`,
    YearRow,
  );
  // A count that an interruption left half done is begun anew.
  db.prepare('DELETE FROM term WHERE counted = 0').run();
  let known: { terms: CountedTerm[]; everything: CountedTerm[]; matcher: TermMatcher } | null = null;

  const read = () => {
    if (known === null) {
      const everything = selectKnown.all();
      const matcher = termMatcher(everything.map((t) => t.text));
      known = { terms: selectAll.all(), everything, matcher };
    }
    return known;
  };
  const all = () => ({ terms: read().terms });
  const everyTerm = () => ({ terms: read().everything, matcher: read().matcher });

  /** Counts terms that are not counted yet, over all records, some at a time. */
  function* ensure(texts: readonly string[]): Steps<void> {
    const have = new Set(all().terms.map((t) => t.text));
    const missing = texts.filter((t) => !have.has(t));
    if (missing.length === 0) return;
    known = null;
    const ids = missing.map((text) => Number(beginTerm.get(text)));
    const matcher = termMatcher(missing);
    const total = selectLast.get() ?? 0;
    for (let after = 0; ;) {
      const rows = selectTexts.all(after, CHUNK);
      const last = rows.at(-1);
      if (last === undefined) break;
      db.transaction(() => {
        for (const { id, title, abstract } of rows) {
          matcher.count(countedText(title, abstract)).forEach((mentions, i) => {
            if (mentions > 0) insertCount.run(ids[i] ?? 0, id, mentions);
          });
        }
      })();
      after = last.id;
      yield { done: after, total: Math.max(total, after), doing: 'counting terms' };
    }
    for (const id of ids) finishTerm.run(id);
    known = null;
  }

  function* setSteps(terms: readonly string[]): Steps<void> {
    const unique = [...new Map(terms.map((t) => [fold(t.trim()), t.trim()])).values()];
    yield* ensure(unique);
    undo.edit(`Change the list to ${counted(unique.length, 'term')}`, 'records', () => {
      settings.set('terms', unique);
    });
  }

  return {
    active: () => {
      const texts = settings.terms();
      atOnce(ensure(texts));
      const byText = new Map(all().terms.map((t) => [t.text, t]));
      return texts.map((text) => {
        const term = byText.get(text);
        if (term === undefined) throw new InvariantError(`the term "${text}" was not counted`);
        return term;
      });
    },
    set: (terms) => {
      atOnce(setSteps(terms));
    },
    setSteps,
    together: () => {
      const list = JSON.stringify(settings.terms());
      return selectTogether.all(list, list);
    },
    byYear: () => selectByYear.all(JSON.stringify(settings.terms())),
    statistics: () => {
      const texts = settings.terms();
      atOnce(ensure(texts));
      return selectStatistics.all(JSON.stringify(texts));
    },
    countRecord: (recordId, title, abstract) => {
      if (all().terms.length === 0) atOnce(ensure(settings.terms()));
      const { terms, matcher } = everyTerm();
      matcher.count(countedText(title, abstract)).forEach((mentions, i) => {
        const term = terms[i];
        if (term !== undefined && mentions > 0) insertCount.run(term.id, recordId, mentions);
      });
    },
  };
}
