import { z } from 'zod';
import type { Pair, PairSet } from '../../../shared/domain/index.ts';
import { PairId, PairLine, PairSetId } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { flag, json, now, query } from '../rows.ts';
import { type StoreContext, brandId, counted, found } from './base.ts';

const SetRow = z.object({
  id: PairSetId,
  name: z.string(),
  version: z.number(),
  frozen: flag,
  created_at: z.string(),
  count: z.number(),
});
const PairRow = z.object({
  id: PairId,
  set_id: PairSetId,
  ordinal: z.number(),
  line: json(PairLine),
  edited_at: z.string(),
});

export interface PairRepository {
  sets(): PairSet[];
  set(id: PairSetId): PairSet;
  /** By number or exact name (its newest version); undefined when there is none. */
  findSet(name: string): PairSet | undefined;
  /** A new set with these pairs, as one edit; undoable. */
  createSet(name: string, lines?: readonly PairLine[]): PairSet;
  /** Adds pairs to a set as one edit; ids in use get a number. Undoable. Throws `PAIR_SET_FROZEN`. */
  add(setId: PairSetId, lines: readonly PairLine[]): PairSet;
  list(setId: PairSetId): Pair[];
  get(id: PairId): Pair;
  /** Adds (id null) or changes a pair; undoable. Throws `PAIR_SET_FROZEN`, `PAIR_ID_TAKEN`. */
  save(setId: PairSetId, id: PairId | null, line: PairLine): Pair;
  /**
   * Puts pairs in the place of one, as one edit; ids that the set has already get a number behind them. The first keeps
   * the pair's row. Throws `PAIR_SET_FROZEN`.
   */
  replace(setId: PairSetId, id: PairId, lines: readonly PairLine[]): Pair[];
  /** Undoable. Throws `PAIR_SET_FROZEN`. */
  remove(ids: readonly PairId[]): void;
  /**
   * Makes a set immutable and puts an editable copy of it, the next version, in its place; undoable.
   * Returns the frozen set. A set already frozen is returned as it is.
   */
  freeze(setId: PairSetId): PairSet;
  count(): number;
}

export function createPairRepository({ db, undo }: StoreContext): PairRepository {
  const SETS = `SELECT s.id, s.name, s.version, s.frozen, s.created_at,
      (SELECT count(*) FROM pair p WHERE p.set_id = s.id) AS count FROM pair_set s WHERE s.removed_at IS NULL`;
  const selectSets = query<[], typeof SetRow>(db, `${SETS} ORDER BY s.id`, SetRow);
  const selectSet = query<[number], typeof SetRow>(db, `${SETS} AND s.id = ?`, SetRow);
  const selectNamed = query<[string, string], typeof SetRow>(
    db,
    `${SETS} AND (s.name = ? OR CAST(s.id AS TEXT) = ?) ORDER BY s.version DESC, s.id DESC LIMIT 1`,
    SetRow,
  );
  const selectPairs = query<[number], typeof PairRow>(
    db,
    'SELECT * FROM pair WHERE set_id = ? ORDER BY ordinal, id',
    PairRow,
  );
  const selectPair = query<[number], typeof PairRow>(db, 'SELECT * FROM pair WHERE id = ?', PairRow);
  const insertSet = db.prepare('INSERT INTO pair_set (name, version, created_at) VALUES (?, ?, ?)');
  const insertPair = db.prepare('INSERT INTO pair (set_id, ordinal, line, edited_at) VALUES (?, ?, ?, ?)');

  const setRow = (id: number) => found(selectSet.get(id), 'pair set', id);
  const pairRow = (id: number) => found(selectPair.get(id), 'pair', id);

  const addLines = (setId: PairSetId, lines: readonly PairLine[], from = 0): void => {
    lines.forEach((line, i) => insertPair.run(setId, from + i, JSON.stringify(line), now()));
  };
  const nextOrdinal = db.prepare('SELECT coalesce(max(ordinal) + 1, 0) FROM pair WHERE set_id = ?').pluck();
  const selectLineIds = db
    .prepare<[number], string>("SELECT json_extract(line, '$.id') FROM pair WHERE set_id = ?")
    .pluck();
  const selectTaken = db
    .prepare<[number, string, number], number>(
      "SELECT count(*) FROM pair WHERE set_id = ? AND json_extract(line, '$.id') = ? AND id <> ?",
    )
    .pluck();
  const editable = (id: PairSetId): z.output<typeof SetRow> => {
    const set = setRow(id);
    if (!set.frozen) return set;
    throw new UserInputError(
      'PAIR_SET_FROZEN',
      `Version ${set.version} of the pair set "${set.name}" is frozen.`,
      'Edit its newest version, which is not frozen.',
    );
  };
  const checkIdFree = (setId: PairSetId, id: PairId | null, line: PairLine): void => {
    if (selectTaken.get(setId, line.id, id ?? 0) === 0) return;
    throw new UserInputError(
      'PAIR_ID_TAKEN',
      `The set already has a pair called "${line.id}".`,
      'Give this pair another id.',
    );
  };

  return {
    sets: () => selectSets.all().map(toSet),
    set: (id) => toSet(setRow(id)),
    findSet: (name) => {
      const named = selectNamed.get(name, name);
      return named && toSet(named);
    },
    createSet: (name, lines = []) =>
      undo.edit(`Create pair set ${name}`, 'pairs', () => {
        const id = brandId(PairSetId, insertSet.run(name, 1, now()).lastInsertRowid);
        addLines(id, lines);
        return toSet(setRow(id));
      }),
    add: (setId, lines) => {
      editable(setId);
      return undo.edit(`Add ${counted(lines.length, 'pair')}`, 'pairs', () => {
        addLines(setId, withFreeIds(lines, selectLineIds.all(setId)), Number(nextOrdinal.get(setId)));
        return toSet(setRow(setId));
      });
    },
    list: (setId) => {
      setRow(setId);
      return selectPairs.all(setId).map(toPair);
    },
    get: (id) => toPair(pairRow(id)),
    save: (setId, id, line) => {
      editable(setId);
      checkIdFree(setId, id, line);
      const label = `${id === null ? 'Add' : 'Edit'} pair ${line.id}`;
      return undo.edit(label, 'pairs', () => {
        if (id !== null) {
          pairRow(id);
          db.prepare('UPDATE pair SET line = ?, edited_at = ? WHERE id = ? AND set_id = ?').run(
            JSON.stringify(line),
            now(),
            id,
            setId,
          );
          return toPair(pairRow(id));
        }
        const { lastInsertRowid } = insertPair.run(
          setId,
          Number(nextOrdinal.get(setId)),
          JSON.stringify(line),
          now(),
        );
        return toPair(pairRow(brandId(PairId, lastInsertRowid)));
      });
    },
    replace: (setId, id, lines) => {
      editable(setId);
      const { ordinal, line: before } = toPair(pairRow(id));
      return undo.edit(`Split pair ${before.id}`, 'pairs', () => {
        const taken = selectLineIds.all(setId).filter((other) => other !== before.id);
        const [first, ...rest] = withFreeIds(lines, taken);
        if (first === undefined) return [];
        db.prepare('UPDATE pair SET ordinal = ordinal + ? WHERE set_id = ? AND ordinal > ?').run(
          rest.length,
          setId,
          ordinal,
        );
        db.prepare('UPDATE pair SET line = ?, edited_at = ? WHERE id = ?').run(
          JSON.stringify(first),
          now(),
          id,
        );
        const added = rest.map((line, i) =>
          insertPair.run(setId, ordinal + 1 + i, JSON.stringify(line), now()),
        );
        return [id, ...added.map((row) => brandId(PairId, row.lastInsertRowid))].map((one) =>
          toPair(pairRow(one)),
        );
      });
    },
    remove: (ids) => {
      for (const setId of new Set(ids.map((id) => pairRow(id).set_id))) editable(setId);
      undo.edit(`Remove ${counted(ids.length, 'pair')}`, 'pairs', () => {
        const drop = db.prepare('DELETE FROM pair WHERE id = ?');
        for (const id of ids) drop.run(id);
      });
    },
    freeze: (setId) => {
      const set = setRow(setId);
      if (set.frozen) return toSet(set);
      return undo.edit(`Freeze pair set ${set.name} version ${set.version}`, 'pairs', () => {
        db.prepare('UPDATE pair_set SET frozen = 1 WHERE id = ?').run(setId);
        const { lastInsertRowid } = insertSet.run(set.name, set.version + 1, now());
        addLines(
          brandId(PairSetId, lastInsertRowid),
          selectPairs.all(setId).map((p) => p.line),
        );
        return toSet(setRow(setId));
      });
    },
    count: () =>
      Number(
        db
          .prepare(
            `SELECT count(*) FROM pair p JOIN pair_set s ON s.id = p.set_id WHERE s.removed_at IS NULL
               AND s.version = (SELECT max(t.version) FROM pair_set t WHERE t.name = s.name AND t.removed_at IS NULL)`,
          )
          .pluck()
          .get(),
      ),
  };
}

/** Lines whose ids are in no other line: `ioi-1` becomes `ioi-1-2` where it is in use. */
function withFreeIds(lines: readonly PairLine[], used: readonly string[]): PairLine[] {
  const taken = new Set(used);
  return lines.map((line) => {
    let id = line.id;
    for (let n = 2; taken.has(id); n++) id = `${line.id}-${n}`;
    taken.add(id);
    return { ...line, id };
  });
}

function toSet(row: z.output<typeof SetRow>): PairSet {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    frozen: row.frozen,
    createdAt: row.created_at,
    count: row.count,
  };
}

function toPair(row: z.output<typeof PairRow>): Pair {
  return { id: row.id, setId: row.set_id, ordinal: row.ordinal, line: row.line, editedAt: row.edited_at };
}
