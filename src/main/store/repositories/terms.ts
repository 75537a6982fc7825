import { z } from 'zod';
import { TermCount } from '../../../shared/domain/index.ts';
import { InvariantError } from '../../../shared/errors/index.ts';
import { type TermMatcher, fold, termMatcher } from '../../../shared/text/index.ts';
import { query } from '../rows.ts';
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
  /** Mentions and articles of each active term over the records to screen (one of each group of copies). */
  statistics(): TermCount[];
  /** Counts all known terms in a record just added. */
  countRecord(recordId: number, title: string, abstract: string): void;
}

const TermRow = z.object({ id: z.number(), text: z.string() });

/** What of a record the counts are over. */
function countedText(title: string, abstract: string): string {
  return `${title}\n${abstract}`;
}

export function createTermRepository(
  { db, undo }: StoreContext,
  settings: SettingRepository,
): TermRepository {
  const selectAll = query<[], typeof TermRow>(db, 'SELECT id, text FROM term ORDER BY id', TermRow);
  const insertTerm = db.prepare<[string]>('INSERT INTO term (text) VALUES (?)');
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
  let known: { terms: CountedTerm[]; matcher: TermMatcher } | null = null;

  const all = () => {
    if (known === null) {
      const terms = selectAll.all();
      known = { terms, matcher: termMatcher(terms.map((t) => t.text)) };
    }
    return known;
  };

  const ensure = (texts: readonly string[]): void => {
    const have = new Set(all().terms.map((t) => t.text));
    const missing = texts.filter((t) => !have.has(t));
    if (missing.length === 0) return;
    known = null;
    db.transaction(() => {
      const ids = missing.map((text) => Number(insertTerm.run(text).lastInsertRowid));
      const matcher = termMatcher(missing);
      const bodies = db.prepare<[], { id: number; title: string; abstract: string }>(
        'SELECT r.id, r.title, b.abstract FROM record r JOIN record_body b ON b.record_id = r.id',
      );
      // Collected first: the connection cannot write while it steps through a query.
      const counts: [number, number, number][] = [];
      for (const { id, title, abstract } of bodies.iterate()) {
        matcher.count(countedText(title, abstract)).forEach((mentions, i) => {
          if (mentions > 0) counts.push([ids[i] ?? 0, id, mentions]);
        });
      }
      for (const count of counts) insertCount.run(...count);
    })();
  };

  return {
    active: () => {
      const texts = settings.terms();
      ensure(texts);
      const byText = new Map(all().terms.map((t) => [t.text, t]));
      return texts.map((text) => {
        const term = byText.get(text);
        if (term === undefined) throw new InvariantError(`the term "${text}" was not counted`);
        return term;
      });
    },
    set: (terms) => {
      const unique = [...new Map(terms.map((t) => [fold(t.trim()), t.trim()])).values()];
      undo.edit(`Change the list to ${counted(unique.length, 'term')}`, 'records', () => {
        settings.set('terms', unique);
        ensure(unique);
      });
    },
    statistics: () => {
      const texts = settings.terms();
      ensure(texts);
      return selectStatistics.all(JSON.stringify(texts));
    },
    countRecord: (recordId, title, abstract) => {
      if (all().terms.length === 0) ensure(settings.terms());
      const { terms, matcher } = all();
      matcher.count(countedText(title, abstract)).forEach((mentions, i) => {
        const term = terms[i];
        if (term !== undefined && mentions > 0) insertCount.run(term.id, recordId, mentions);
      });
    },
  };
}
