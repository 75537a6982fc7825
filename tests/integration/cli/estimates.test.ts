import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FORMATS, type FormatName } from '../../../src/main/hosts/cli/formats.ts';
import { engram, errorLines, TINY } from './process.ts';

const PAIRS = fileURLToPath(new URL('../../reference/tiny-gpt2-pairs.jsonl', import.meta.url));
const atp = JSON.parse(
  readFileSync(new URL('../../reference/tiny-gpt2-atp.json', import.meta.url), 'utf8'),
) as Record<string, { summary: { hook: string; axes: string[]; recovery: (number | null)[] }[] }>;

/** Runs a command with --json and checks its output against the format's schema. */
async function json(format: FormatName, ...args: string[]): Promise<unknown> {
  const ran = await engram(...args, '--json');
  expect(errorLines(ran)).toEqual([]);
  expect(ran.code).toBe(0);
  return FORMATS[format].schema.parse(JSON.parse(ran.out));
}

describe('engram patch --method', () => {
  const common = ['patch', '--model', TINY, '--pairs', PAIRS, '--direction', 'noising'];

  it('estimates as PyTorch does, and verifies the strongest sites', async () => {
    const result = FORMATS['patch-result'].schema.parse(
      await json('patch-result', ...common, '--hooks', 'z,mlp_out', '--method', 'atp', '--verify-top', '5'),
    );
    expect(result.method).toBe('atp');
    for (const { hook, recovery, axes } of result.summary) {
      const expected = atp['noising']?.summary.find((s) => s.hook === hook && s.axes.join() === axes.join());
      expect(recovery).toHaveLength(expected?.recovery.length ?? 0);
      recovery.forEach((value, i) => {
        expect(value).toBeCloseTo(expected?.recovery[i] ?? Number.NaN, 4);
      });
    }
    expect(result.verification?.map(({ n, sites }) => [n, sites.length])).toEqual([
      [5, 5],
      [5, 5],
    ]);
    for (const { spearman, same_sign } of result.verification ?? []) {
      expect(Math.abs(spearman ?? 2)).toBeLessThanOrEqual(1);
      expect(same_sign).toBeLessThanOrEqual(5);
    }
  });

  it.each([
    ['OPTION_INVALID', ['--method', 'guess']],
    ['VERIFY_EXACT', ['--verify-top', '3']],
    ['STEPS_WITHOUT_LINE', ['--method', 'atp', '--steps', '3']],
    ['METRIC_NO_GRADIENT', ['--method', 'atp', '--metric', 'rank']],
  ])('refuses with %s', async (code, more) => {
    const ran = await engram(...common, '--hooks', 'z', ...more);
    expect(ran.code).toBe(2);
    expect(errorLines(ran).join()).toContain(`${code}: `);
  });
});

describe('views of one prompt', () => {
  it('engram lens', async () => {
    const result = FORMATS['lens-result'].schema.parse(
      await json(
        'lens-result',
        'lens',
        '--model',
        TINY,
        '--ids',
        '5,9,13',
        '--positions',
        '0,2',
        '--track',
        '7',
        '--top',
        '3',
      ),
    );
    expect(result.layers).toHaveLength(4);
    expect(result.layers.every((places) => places.length === 2 && places[0]?.top.length === 3)).toBe(true);
    expect(result.layers[3]?.[1]?.logits).toHaveLength(1);
  });

  it('engram dla: parts add up', async () => {
    const { pairs } = FORMATS['dla-result'].schema.parse(
      await json('dla-result', 'dla', '--model', TINY, '--pairs', PAIRS),
    );
    expect(pairs).toHaveLength(6);
    for (const { clean: p } of pairs) {
      const sum =
        [...p.attn_out, ...p.mlp_out].reduce((a, b) => a + b, 0) + p.embed + p.pos_embed + p.constant;
      expect(sum).toBeCloseTo(p.logit_diff, 4);
      p.heads.forEach((heads, layer) => {
        const own = heads.reduce((a, b) => a + b, 0) + (p.attn_bias[layer] ?? 0);
        expect(own).toBeCloseTo(p.attn_out[layer] ?? Number.NaN, 5);
      });
    }
  });

  it('engram attention, and a layer that is not there', async () => {
    const { patterns } = FORMATS['attention-result'].schema.parse(
      await json('attention-result', 'attention', '--model', TINY, '--ids', '5,9,13', '--layers', '2'),
    );
    expect(patterns).toHaveLength(1);
    expect(patterns[0]).toHaveLength(4);
    expect(patterns[0]?.[0]?.map((row) => row.length)).toEqual([1, 2, 3]);
    const ran = await engram('attention', '--model', TINY, '--ids', '5', '--layers', '3');
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('LAYER_OUTSIDE');
  });
});
