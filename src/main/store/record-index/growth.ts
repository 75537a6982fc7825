import type { Database } from 'better-sqlite3';
import type { Decisions, Records } from './columns.ts';
import { joined } from './facet-lists.ts';

/** New records that are put in their places one by one; more are read anew with all others. */
export const MOST_NEW = 20_000;

interface NewRow {
  readonly id: number;
  readonly year: number | null;
  readonly title: string;
  readonly copy: number;
}

/**
 * What is known of records with those from id `records.size` on put in their places: each behind the record that
 * the order of the list has before it, which SQLite finds in its index. Null when there are too many of them.
 */
export function grownRecords(db: Database, records: Records): Records | null {
  const { order, size } = records;
  const added = db
    .prepare<[number, number], NewRow>(
      `SELECT id, year, title, duplicate_of IS NOT NULL AS copy
       FROM (SELECT * FROM record WHERE id >= ? ORDER BY id LIMIT ?)
       ORDER BY year DESC, title COLLATE NOCASE, id`,
    )
    .all(size, MOST_NEW + 1);
  if (added.length > MOST_NEW) return null;
  const before = db
    .prepare<[number | null, string, string, number], number>(
      `SELECT id FROM record WHERE year IS ? AND title COLLATE NOCASE <= ? AND NOT (title COLLATE NOCASE = ? AND id >= ?)
       ORDER BY title COLLATE NOCASE DESC, id DESC LIMIT 1`,
    )
    .pluck();
  const places = new Uint32Array(size);
  for (let place = 0; place < order.length; place++) places[order[place] ?? 0] = place;
  const firstOf = runs(records);

  const merged = new Uint32Array(order.length + added.length);
  let [from, at] = [0, 0];
  let previous: number | null = null;
  for (const { id, year, title } of added) {
    const ahead = before.get(year, title, title, id);
    // Behind the new record just placed, behind an older one, or first of its year.
    const place: number =
      ahead === undefined ? firstOf(year) : ahead === previous ? from : (places[ahead] ?? 0) + 1;
    merged.set(order.subarray(from, place), at);
    at += place - from;
    from = place;
    merged[at++] = id;
    previous = id;
  }
  merged.set(order.subarray(from), at);

  const last = added.reduce((n, { id }) => Math.max(n, id), size - 1);
  const present = wider(records.present, last + 1);
  const copies = wider(records.copies, last + 1);
  const years = new Map<string, number[]>();
  for (const { id, year, copy } of added) {
    present[id] = 1;
    copies[id] = copy;
    if (year === null) continue;
    const ofYear = years.get(String(year));
    if (ofYear === undefined) years.set(String(year), [id]);
    else ofYear.push(id);
  }
  const more = new Map([...years].map(([year, ids]) => [year, Uint32Array.from(ids)]));
  return { order: merged, size: last + 1, present, copies, years: joined(records.years, more) };
}

/** Decisions with room for more records; those on new ones are read as any that changed. */
export function grownDecisions(decisions: Decisions, size: number): Decisions {
  return { ...decisions, values: wider(decisions.values, size), reasons: wider(decisions.reasons, size) };
}

function wider<T extends Uint8Array | Uint16Array>(values: T, size: number): T {
  const wide = values instanceof Uint8Array ? new Uint8Array(size) : new Uint16Array(size);
  wide.set(values);
  return wide as T; // of the same kind as `values`
}

/** Where the records of a year begin in the order: behind those of all later years; without one, at the end of all. */
function runs({ order, years }: Records): (year: number | null) => number {
  const lengths = [...years].map(([year, ids]) => [Number(year), ids.length] as const);
  const dated = lengths.reduce((n, [, length]) => n + length, 0);
  return (year) =>
    year === null
      ? Math.min(dated, order.length)
      : lengths.reduce((n, [other, length]) => (other > year ? n + length : n), 0);
}
