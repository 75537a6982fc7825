import { describe, expect, it, vi } from 'vitest';
import type { EngramClient, RecordFilter } from '../../../src/shared/contracts/index.ts';
import { RecordRow } from '../../../src/shared/domain/index.ts';
import {
  CurateList,
  narrowing,
  NO_FILTER,
  PAGE_SIZE,
} from '../../../src/renderer/features/curate/curate.svelte.ts';
import { createClient } from '../../../src/renderer/client/client.ts';
import { ErrorStore } from '../../../src/renderer/state/errors.svelte.ts';

interface Stored {
  id: number;
  decision: string;
}

/** The real client over a list kept in memory: 250 records, filtered by decision. */
function study(count = 250): { client: EngramClient; rows: Stored[]; asked: number[] } {
  const rows: Stored[] = Array.from({ length: count }, (_, i) => ({ id: i + 1, decision: 'undecided' }));
  const asked: number[] = [];
  const row = ({ id, decision }: Stored) =>
    RecordRow.parse({
      id,
      pmid: null,
      title: `t${id}`,
      journal: '',
      year: 2020,
      decision,
      reason: null,
      flags: [],
      copies: 1,
      duplicateOf: null,
      mentions: [],
    });
  const client = createClient({
    request: (_service, method, input) => {
      if (method === 'decide') {
        const { ids, decision } = input as { ids: number[]; decision: string };
        for (const stored of rows) if (ids.includes(stored.id)) stored.decision = decision;
        return Promise.resolve({ changed: ids.length });
      }
      const { filter, offset, limit } = input as { filter: RecordFilter; offset: number; limit: number };
      asked.push(offset);
      const found = rows.filter(
        (r) => filter.decisions.length === 0 || filter.decisions.some((d) => d === r.decision),
      );
      return Promise.resolve({
        total: found.length,
        all: rows.length,
        terms: ['EEG'],
        rows: found.slice(offset, offset + limit).map(row),
      });
    },
    onEvent: () => () => undefined,
    onState: () => () => undefined,
    close: () => undefined,
  });
  return { client, rows, asked };
}

async function loaded(count?: number) {
  const made = study(count);
  const list = new CurateList(made.client, new ErrorStore());
  await list.reload();
  return { ...made, list };
}

describe('the list being screened', () => {
  it('opens the first record and loads further pages only when they come into view, once', async () => {
    const { list, asked } = await loaded();
    expect([list.total, list.open, list.index]).toEqual([250, 1, 0]);
    vi.useFakeTimers();
    list.ensure(200, 230);
    list.ensure(90, 120);
    await vi.runAllTimersAsync();
    list.ensure(95, 125);
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(asked).toEqual([0, PAGE_SIZE]);
    expect(list.row(120)?.id).toBe(121);
    expect(list.row(240)).toBeUndefined();
  });

  it('moves to the next record after a decision', async () => {
    const { list, rows } = await loaded();
    await list.decide('include', null);
    expect(rows[0]?.decision).toBe('include');
    expect(list.open).toBe(2);
  });

  it('keeps its place when the decided record leaves the filtered list', async () => {
    const { list } = await loaded();
    list.narrow({ decisions: ['undecided'] });
    await list.reload();
    list.go(4);
    await list.decide('exclude', 'Off topic');
    expect(list.open).toBe(6);
    await list.reload();
    expect([list.total, list.open, list.index]).toEqual([249, 6, 4]);
  });

  it('opens the last record when the one after it is gone', async () => {
    const { list } = await loaded(3);
    list.narrow({ decisions: ['undecided'] });
    await list.reload();
    list.go(2);
    await list.decide('include', null);
    await list.reload();
    expect([list.total, list.open]).toEqual([2, 2]);
  });

  it('decides on all checked records at once and unchecks them', async () => {
    const { list, rows } = await loaded();
    for (const id of [1, 2, 3] as const) list.toggle(RecordRow.shape.id.parse(id));
    list.toggle(RecordRow.shape.id.parse(2));
    await list.decide('maybe', null);
    expect(rows.filter((r) => r.decision === 'maybe').map((r) => r.id)).toEqual([1, 3]);
    expect([list.checked.size, list.open]).toEqual([0, 1]);
  });

  it('counts what narrows it', () => {
    expect(narrowing(NO_FILTER)).toBe(0);
    expect(
      narrowing({ ...NO_FILTER, decisions: ['maybe'], yearFrom: 2012, yearTo: 2020, terms: ['EEG'] }),
    ).toBe(3);
  });
});
