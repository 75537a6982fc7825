import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResults } from '../../../src/main/importers/index.ts';
import { detect } from '../../../src/main/engine/stats/index.ts';
import { tempFolder } from '../../support/store.ts';

const SHARED = join(import.meta.dirname, '../../../../shared/reference');
const REFERENCE = join(SHARED, 'tl-gpt2-small-ioi.json');
const nothing = { metric: null, direction: null, model: null };

function read(content: unknown, given: Partial<typeof nothing> & object = {}) {
  const file = join(tempFolder(), 'results.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readResults(file, 'results.json', { ...nothing, ...given });
}

const table = (change: object = {}) => ({
  source: 'a notebook',
  direction: 'denoising',
  metric: 'logit_diff',
  tables: {
    z: { axes: ['Layer', 'Head'], values: [[0.1, 0.2], [null, -0.4], [0, 0.5]] }, // prettier-ignore
    ...change,
  },
});

describe('tables of effects', () => {
  it('are read by hook: shape, values, states, and what was taken for granted', async () => {
    const { content, bytes, sha256 } = await read(table());
    expect(content).toMatchObject({
      format: 'tables',
      source: 'a notebook',
      direction: 'denoising',
      remarks: [],
    });
    expect(content.tables).toMatchObject([
      {
        name: 'z',
        hook: 'blocks.{layer}.attn.hook_z',
        axes: 'layer_head',
        metric: 'logit_diff',
        layers: 3,
        columns: 2,
        recovery: [0.1, 0.2, null, -0.4, 0, 0.5],
        state: ['open', 'open', 'missing', 'open', 'open', 'open'],
        columnLabels: ['0', '1'],
        pairs: null,
      },
    ]);
    expect(bytes).toBeGreaterThan(100);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const { metric: _metric, direction: _direction, ...silent } = table();
    const { content: taken } = await read(silent);
    expect(taken.remarks.join(' ')).toMatch(
      /direction; it is taken as denoising.*metric; it is taken as logit_diff/,
    );
    const { content: told } = await read(silent, {
      metric: 'prob',
      direction: 'noising',
      model: 'gpt2',
    } as never);
    expect(told).toMatchObject({ direction: 'noising', model: 'gpt2', remarks: [] });
    expect(told.tables[0]?.metric).toBe('prob');
  });

  it('know positions that were zero by construction, and sites that restore by construction', async () => {
    const { content } = await read(
      table({
        resid_post: { axes: ['Layer', 'Position'], values: [[0, 0, 0.3], [0, 0.1, 1]] }, // prettier-ignore
        resid_pre: { axes: ['Layer'], values: [1, 1] },
      }),
    );
    const [, post, pre] = content.tables;
    expect(post?.state).toEqual(['zero', 'open', 'open', 'zero', 'open', 'trivial']);
    expect(pre).toMatchObject({ axes: 'layer', layers: 2, columns: 1, state: ['trivial', 'trivial'] });
    expect(content.remarks).toEqual([expect.stringContaining('resid_post: 2 sites are exactly 0')]);
  });

  it('run over layers and heads together where another table says how many heads there are', async () => {
    const values = Array.from({ length: 6 }, (_, row) => [row, row / 10, 0]);
    const both = { axes: ['Head Label', 'Pos'], values };
    const { content } = await read(table({ z_by_pos: both }));
    const [, wide] = content.tables;
    expect(wide).toMatchObject({ axes: 'layer_head_position', layers: 3, columns: 6 });
    // Row 3 of the file is head 1 of layer 1.
    expect(wide?.recovery.slice(1 * 6 + 3, 1 * 6 + 6)).toEqual([3, 0.3, 0]);
    expect(wide?.columnLabels[4]).toBe('1 · 1');
    const alone = { ...table(), tables: { z_by_pos: both } };
    await expect(read(alone)).rejects.toMatchObject({ code: 'RESULTS_HEADS_UNKNOWN' });
    const stated = { ...table(), tables: { z_by_pos: { ...both, heads: 2 } } };
    expect((await read(stated)).content.tables[0]).toMatchObject({ layers: 3, columns: 6 });
  });

  const bad = (change: object) => table({ z: { values: [[1]], ...change } });
  it.each([
    [
      'ragged rows',
      bad({ values: [[1, 2], [3]] }),
      'RESULTS_TABLE_SHAPE',
      'tables.z.values: row 1 has 1 values',
    ],
    ['another shape', bad({ shape: [2, 2] }), 'RESULTS_TABLE_SHAPE', 'the shape says 2 × 2'],
    ['labels', bad({ labels: ['a', 'b'] }), 'RESULTS_TABLE_SHAPE', '2 labels for 1 columns'],
    ['a text for a number', bad({ values: [['x']] }), 'RESULTS_TABLES_MALFORMED', 'tables.z.values'],
    ['strange axes', bad({ axes: ['Head', 'Layer'] }), 'RESULTS_AXES_UNKNOWN', '“Head × Layer”'],
    [
      'heads of no heads',
      table({ mlp_out: { axes: ['Layer', 'Head'], values: [[1]] } }),
      'RESULTS_AXES_UNKNOWN',
      'no heads',
    ],
    [
      'an unknown hook',
      table({ rubbish: { values: [[1]] } }),
      'RESULTS_HOOK_UNKNOWN',
      'tables.rubbish: “rubbish”',
    ],
    ['an unknown metric', bad({ metric: 'accuracy' }), 'RESULTS_METRIC_UNKNOWN', '“accuracy”'],
    ['a result that is cut short', { effects: [], baselines: [] }, 'RESULTS_PATCH_MALFORMED', 'engine: '],
    ['no table', { tables: {} }, 'RESULTS_EMPTY', 'there is none'],
    ['NaN', '{"tables": {"z": {"values": [[NaN]]}}}', 'RESULTS_NOT_JSON', 'begins as JSON but is not'],
    ['something else', '{"rows": 3}', 'RESULTS_FORMAT_UNKNOWN', 'no effects that are known here'],
    ['prose', 'a letter', 'RESULTS_FORMAT_UNKNOWN', 'no effects'],
  ])('with %s are refused with file, place and next step', async (_what, content, code, place) => {
    await expect(read(content)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(place) as string,
      next: expect.stringMatching(/\w+/) as string,
    });
  });

  it('that say one metric are not taken for another', async () => {
    await expect(read(table(), { metric: 'prob' } as never)).rejects.toMatchObject({
      code: 'RESULTS_CONTRADICTED',
      kind: 'user',
    });
  });

  it('that are not there, or not text, are refused', async () => {
    await expect(readResults('/nowhere/x.json', 'x.json', nothing)).rejects.toMatchObject({
      code: 'RESULTS_UNREADABLE',
    });
    const file = join(tempFolder(), 'x.json');
    writeFileSync(file, Buffer.from([0xff, 0xfe, 0xfd, 0x80]));
    await expect(readResults(file, 'x.json', nothing)).rejects.toMatchObject({ code: 'RESULTS_ENCODING' });
  });
});

describe.skipIf(!existsSync(REFERENCE))(
  'the published tables of TransformerLens (skipped without them)',
  () => {
    it('are read whole, and detection finds the heads that go with them', async () => {
      const { content } = await readResults(REFERENCE, 'tl.json', nothing);
      expect(content.tables.map(({ name, layers, columns }) => [name, layers, columns])).toEqual([
        ['resid_pre', 12, 15],
        ['z', 12, 12],
        ['z_by_pos', 12, 180],
        ['attn_out', 12, 15],
        ['mlp_out', 12, 15],
        ['q', 12, 12],
        ['k', 12, 12],
        ['v', 12, 12],
        ['pattern', 12, 12],
      ]);
      const z = content.tables.find(({ name }) => name === 'z');
      const sign = detect(z?.recovery ?? []).sign;
      const names = (wanted: number): string[] =>
        sign.flatMap((s, i) => (s === wanted ? [`${Math.floor(i / 12)}.${i % 12}`] : []));
      const known = JSON.parse(readFileSync(join(SHARED, 'zn-detection.json'), 'utf8')) as {
        detected_positive: string[];
        detected_negative: string[];
      };
      expect(names(1).sort()).toEqual([...known.detected_positive].sort());
      expect(names(-1).sort()).toEqual([...known.detected_negative].sort());
    });
  },
);
