import type { Database } from 'better-sqlite3';
import { DECISIONS, type Decision } from '../../../shared/domain/index.ts';
import { idsFrom } from './lists.ts';

/** Which records there are, and in which order; everything here is by id. */
export interface Records {
  /** Ids in the order of the list: newest year first, without a year last, then by title. */
  readonly order: Uint32Array;
  /** One more than the largest id. */
  readonly size: number;
  /** 1 where there is a record with this id. */
  readonly present: Uint8Array;
  /** 1 where another record stands for this one. */
  readonly copies: Uint8Array;
  readonly years: ReadonlyMap<string, Uint32Array>;
}

/** Decisions by id, kept current row by row. */
export interface Decisions {
  /** Index into DECISIONS; 0 = undecided. */
  readonly values: Uint8Array;
  /** Index into `words`; 0 = none. */
  readonly reasons: Uint16Array;
  readonly words: string[];
}

export function loadRecords(db: Database): Records {
  const row = db
    .prepare<[], { ids: string; years: string }>(
      `SELECT json_group_array(id) AS ids, json_group_array(year) AS years
       FROM (SELECT id, year FROM record ORDER BY year DESC, title COLLATE NOCASE, id)`,
    )
    .get();
  const order = idsFrom(row?.ids ?? '[]');
  let largest = 0;
  for (let i = 0; i < order.length; i++) largest = Math.max(largest, order[i] ?? 0);
  const copies = new Uint8Array(largest + 1);
  const others = db
    .prepare<[], string>('SELECT json_group_array(id) FROM record WHERE duplicate_of IS NOT NULL')
    .pluck()
    .get();
  for (const id of idsFrom(others ?? '[]')) copies[id] = 1;
  const years = listsOfRuns(order, row?.years ?? '[]');
  const present = new Uint8Array(largest + 1);
  for (let i = 0; i < order.length; i++) present[order[i] ?? 0] = 1;
  return { order, size: largest + 1, present, copies, years };
}

/** One list a year: records stand in the order of their years. */
function listsOfRuns(order: Uint32Array, json: string): Map<string, Uint32Array> {
  const years = JSON.parse(json) as (number | null)[]; // json_group_array over a nullable INTEGER column
  const lists = new Map<string, Uint32Array>();
  for (let start = 0; start < years.length;) {
    let end = start;
    while (end < years.length && years[end] === years[start]) end++;
    const year = years[start] ?? null;
    if (year !== null) lists.set(String(year), order.slice(start, end));
    start = end;
  }
  return lists;
}

export function loadDecisions(db: Database, size: number): Decisions {
  const decisions: Decisions = { values: new Uint8Array(size), reasons: new Uint16Array(size), words: [''] };
  const rows = db
    .prepare<[], { decision: Decision; reason: string | null; ids: string }>(
      'SELECT decision, reason, json_group_array(record_id) AS ids FROM decision GROUP BY decision, reason',
    )
    .all();
  for (const { decision, reason, ids } of rows) {
    const [value, word] = [DECISIONS.indexOf(decision), wordOf(decisions, reason)];
    for (const id of idsFrom(ids)) {
      decisions.values[id] = value;
      decisions.reasons[id] = word;
    }
  }
  return decisions;
}

/** Reads the decisions on some records again. */
export function refreshDecisions(db: Database, decisions: Decisions, ids: Iterable<number>): void {
  const select = db.prepare<[number], { decision: Decision; reason: string | null }>(
    'SELECT decision, reason FROM decision WHERE record_id = ?',
  );
  for (const id of ids) {
    const row = select.get(id);
    decisions.values[id] = row === undefined ? 0 : DECISIONS.indexOf(row.decision);
    decisions.reasons[id] = row === undefined ? 0 : wordOf(decisions, row.reason);
  }
}

function wordOf({ words }: Decisions, reason: string | null): number {
  if (reason === null) return 0;
  const known = words.indexOf(reason, 1);
  return known >= 0 ? known : words.push(reason) - 1;
}
