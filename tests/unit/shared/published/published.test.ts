import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CLAP_TABLES, recomputed, ZHANG_NANDA } from '../../../../src/shared/published/index.ts';

describe('the printed numbers of the CLAP study', () => {
  it('give other recoveries than those printed beside them', () => {
    const [three, four, five] = CLAP_TABLES.map((row) => ({ ...row, ...recomputed(row) }));
    expect(three?.recovery).toBeCloseTo(0.7, 10);
    expect((three?.patched ?? 0) / (three?.clean ?? 1)).toBeCloseTo(three?.printed ?? 0, 1);
    expect(four?.recovery).toBe(1);
    expect(four?.trivial).toBe(true);
    expect(five?.recovery).toBeCloseTo(0.864, 3);
    expect(five?.rest).toBeCloseTo(five?.printed ?? 0, 3);
  });
});

const published = new URL('../../../../../shared/reference/zn-tables.json', import.meta.url);
const Row = z.object({ positive: z.array(z.string()), negative: z.array(z.string()) });
const Task = z.object({ STR: z.record(z.string(), Row), GN: z.record(z.string(), Row) });

describe('published heads', () => {
  it.skipIf(!existsSync(published))('are those of the paper (skipped without its tables)', () => {
    const tables = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(published, 'utf8')));
    const names = {
      'ioi-s2': 'ioi_S2_corrupted_gpt2_small',
      'ioi-s1-io': 'ioi_S1_IO_corrupted_gpt2_small',
      'greater-than': 'greater_than_gpt2_small',
    } as const;
    for (const task of ['ioi-s2', 'ioi-s1-io', 'greater-than'] as const) {
      const paper = Task.parse(tables[names[task]]);
      for (const { corruption, metric, positive, negative } of ZHANG_NANDA[task]) {
        expect({ positive, negative }).toEqual(paper[corruption === 'str' ? 'STR' : 'GN'][metric]);
      }
      expect(ZHANG_NANDA[task]).toHaveLength(6);
    }
  });
});
