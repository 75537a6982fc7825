import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../../src/main/hosts/cli/formats.ts';
import type { Direction, PatchResult } from '../../../src/shared/domain/index.ts';
import { engram, errorLines, ROOT, TINY } from './process.ts';

const PAIRS = join(ROOT, 'tests/reference/tiny-gpt2-pairs.jsonl');
type Reference = Record<Direction, Pick<PatchResult, 'effects' | 'summary'>>;
const reference = JSON.parse(
  readFileSync(join(ROOT, 'tests/reference/tiny-gpt2-patch.json'), 'utf8'),
) as Reference;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-cli-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const patch = (...args: string[]) => engram('patch', '--model', TINY, ...args);

function worst(actual: readonly (number | null)[], wanted: readonly (number | null)[]): number {
  expect(actual.map((v) => v === null)).toEqual(wanted.map((v) => v === null));
  return Math.max(...actual.map((v, i) => Math.abs((v ?? 0) - (wanted[i] ?? 0))));
}

describe('engram patch', () => {
  it.each(['denoising', 'noising'] as const)('agrees with TransformerLens, %s', async (direction) => {
    const out = join(folder, `${direction}.json`);
    const hooks = 'resid_pre,resid_mid,resid_post,attn_out,mlp_out,pre,z';
    const ran = await patch(
      '--pairs',
      PAIRS,
      '--hooks',
      hooks,
      '--direction',
      direction,
      '--metric',
      'logit_diff,kl',
      '--out',
      out,
      '--json',
    );
    expect(ran.code).toBe(0);
    const result = FORMATS['patch-result'].schema.parse(JSON.parse(readFileSync(out, 'utf8')));
    expect(JSON.parse(ran.out)).toEqual(JSON.parse(readFileSync(out, 'utf8')));
    expect(result.effects).toHaveLength(14);
    for (const effect of result.effects) {
      const wanted = reference[direction].effects.find(
        (e) => e.hook === effect.hook && e.metric === effect.metric && e.axes.join() === effect.axes.join(),
      );
      expect(wanted?.shape).toEqual(effect.shape);
      // Float32 sums in another order; the bound is 1e-4.
      expect(worst(effect.raw, wanted?.raw ?? [])).toBeLessThan(5e-5);
      expect(worst(effect.normalized, wanted?.normalized ?? [])).toBeLessThan(5e-5);
      if (wanted?.structural_zero !== undefined)
        expect(effect.structural_zero).toEqual(wanted.structural_zero);
    }
    for (const row of result.summary) {
      const wanted = reference[direction].summary.find(
        (s) => s.hook === row.hook && s.metric === row.metric && s.axes.join() === row.axes.join(),
      );
      expect(worst(row.recovery, wanted?.recovery ?? [])).toBeLessThan(5e-5);
    }
  });

  it('marks the residual stream at all positions as trivial', async () => {
    const ran = await patch('--pairs', PAIRS, '--hooks', 'resid_mid', '--positions', 'all', '--json');
    const result = FORMATS['patch-result'].schema.parse(JSON.parse(ran.out));
    expect(result.effects[0]).toMatchObject({ axes: ['pair', 'layer'], trivial: true });
  });

  it('reads the attention of other heads behind a joint patch, as TransformerLens does', async () => {
    const { looks, models } = JSON.parse(
      readFileSync(join(ROOT, 'tests/reference/attention-outcome.json'), 'utf8'),
    ) as {
      looks: { from: number; to: number }[];
      models: Record<
        string,
        { direction: string; pairs: { pair: string; patched: number[]; clean: number[] }[] }[]
      >;
    };
    const wanted = models['tiny-gpt2']?.find(({ direction }) => direction === 'noising')?.pairs ?? [];
    const lines = readFileSync(PAIRS, 'utf8').split('\n');
    const pairs = file(
      'watched.jsonl',
      wanted.map(({ pair }) => lines.find((line) => line.includes(`"${pair}"`))).join('\n'),
    );
    const joint = 'z:0.1+z:0.3+z:1.2';
    const places = looks.map(({ from, to }) => `${from === -1 ? 'last' : from}>${to}`).join(',');
    const ran = await patch(
      ...['--pairs', pairs, '--joint', joint, '--direction', 'noising', '--json'],
      ...['--watch', '1.1,2.0,2.3', '--looks', places],
    );
    expect(ran.code).toBe(0);
    const { attention } = FORMATS['patch-result'].schema.parse(JSON.parse(ran.out));
    expect(attention?.[0]).toMatchObject({ axes: ['pair', 'head', 'look'], shape: [2, 3, 5] });
    expect(
      worst(
        attention?.[0]?.patched ?? [],
        wanted.flatMap(({ patched }) => patched),
      ),
    ).toBeLessThan(1e-5);
    expect(
      worst(
        attention?.[0]?.clean ?? [],
        wanted.flatMap(({ clean }) => clean),
      ),
    ).toBeLessThan(1e-5);
  });

  it('gives the same effects when the whole model is run once per site', async () => {
    const [packed, naive] = await Promise.all(
      ['packed', 'naive'].map((s) =>
        patch('--pairs', PAIRS, '--hooks', 'attn_out', '--strategy', s, '--json'),
      ),
    );
    const [a, b] = [packed, naive].map((ran) =>
      FORMATS['patch-result'].schema.parse(JSON.parse(ran?.out ?? '')),
    );
    expect(worst(a?.effects[0]?.raw ?? [], b?.effects[0]?.raw ?? [])).toBeLessThan(1e-5);
  });

  const line = (over: object): string =>
    JSON.stringify({
      id: 'uneven',
      clean: { ids: [1, 2, 3] },
      corrupted: { ids: [1, 4, 3] },
      answer: [[5]],
      wrong: [[6]],
      ...over,
    });

  it.each([
    [
      'unequal lengths',
      line({ corrupted: { ids: [1, 2] } }),
      /^PAIRS_UNEQUAL_LENGTH: .*“uneven” has 3 clean and 2 corrupted/,
    ],
    ['no JSON', '{"id":', /^PAIRS_LINE_INVALID: pairs\.jsonl, line 1: not valid JSON/],
    ['a missing field', '{"id":"a","clean":"x"}', /^PAIRS_LINE_INVALID: .*line 1/],
    ['an empty file', '', /^PAIRS_EMPTY: /],
    ['text without a tokenizer', line({ clean: 'a b', corrupted: 'a c' }), /^PAIRS_NO_TOKENIZER: /],
    ['an id outside the vocabulary', line({ clean: { ids: [1, 211, 3] } }), /^PAIRS_ID_RANGE: .*211/],
    [
      'a prompt longer than the context',
      line({ clean: { ids: Array(65).fill(1) }, corrupted: { ids: Array(65).fill(2) } }),
      /^PAIRS_TOO_LONG: .*65.*64/,
    ],
  ])('refuses %s with one line and exit 2', async (_what, text, message) => {
    const ran = await patch('--pairs', file('pairs.jsonl', text), '--hooks', 'z');
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err.trim().split('\n')).toHaveLength(1);
    expect(ran.err).toMatch(message);
  });

  it.each([
    [['--hooks', 'resid_pre,nonsense'], /^HOOK_UNKNOWN: .*nonsense/],
    [['--hooks', 'z', '--metric', 'accuracy'], /^OPTION_INVALID: .*accuracy/],
    [['--hooks', 'z', '--direction', 'sideways'], /^OPTION_INVALID: .*sideways/],
    [['--hooks', 'z', '--method', 'guess'], /^OPTION_INVALID: .*guess/],
    [['--hooks', 'z', '--positions', 'middle'], /^POSITIONS_UNKNOWN: .*middle/],
    [['--hooks', 'z', '--nonsense'], /^USAGE: .*--nonsense/],
    [[], /^HOOKS_MISSING: .*--hooks/],
  ])('refuses %j with exit 2', async (args, message) => {
    const ran = await patch('--pairs', PAIRS, ...args);
    expect(ran.code).toBe(2);
    expect(errorLines(ran)).toHaveLength(1);
    expect(ran.err).toMatch(message);
  });

  it('names a weight file that is cut short', async () => {
    const { cpSync, readFileSync: read } = await import('node:fs');
    const model = join(folder, 'cut');
    cpSync(TINY, model, { recursive: true });
    const weights = join(model, 'model.safetensors');
    writeFileSync(weights, read(weights).subarray(0, 100_000));
    const ran = await engram('patch', '--model', model, '--pairs', PAIRS, '--hooks', 'z');
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/^MODEL_WEIGHTS_TRUNCATED: .*model\.safetensors/);
    expect(errorLines(ran)).toHaveLength(1);
  });
});

describe('engram logits', () => {
  it('gives the reference logits of a prompt', async () => {
    const first = JSON.parse(readFileSync(PAIRS, 'utf8').split('\n')[0] ?? '') as {
      id: string;
      clean: { ids: number[] };
    };
    const wanted = (
      JSON.parse(readFileSync(join(ROOT, 'tests/reference/tiny-gpt2-patch.json'), 'utf8')) as {
        logits: Record<string, { clean: number[] }>;
      }
    ).logits[first.id]?.clean;
    const ran = await engram(
      'logits',
      '--model',
      TINY,
      '--ids',
      first.clean.ids.join(','),
      '--all',
      '--top',
      '3',
      '--json',
    );
    const output = FORMATS['logits-result'].schema.parse(JSON.parse(ran.out));
    expect(output.ids).toEqual(first.clean.ids);
    expect(output.logits).toHaveLength(first.clean.ids.length);
    expect(worst(output.logits?.at(-1) ?? [], wanted ?? [])).toBeLessThan(5e-5);
    const best = Math.max(...(wanted ?? []));
    expect(output.top[0]?.id).toBe(wanted?.indexOf(best));
    expect(output.top).toHaveLength(3);
  });

  it.each([
    [['--ids', '1,x'], /^OPTION_INVALID: /],
    [[], /^USAGE: Give either --text or --ids/],
    [['--ids', '1', '--bos', 'maybe'], /^OPTION_INVALID: /],
  ])('refuses %j with exit 2', async (args, message) => {
    const ran = await engram('logits', '--model', TINY, ...args);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
  });
});

describe('the command line', () => {
  it('explains itself, and asks for a command', async () => {
    const help = await engram('--help');
    expect(help.code).toBe(0);
    for (const command of [
      'demo',
      'serve',
      'run',
      'import',
      'model',
      'train',
      'patch',
      'sweep',
      'logits',
      'export',
      'report',
      'verify',
    ]) {
      expect(help.out).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect((await engram('nonsense')).code).toBe(2);
    expect((await engram()).code).toBe(2);
  });
});
