import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  attentionOutcome,
  type AttentionOutcome,
  type AttentionOutcomeTask,
} from '../../../src/main/engine/interp/attentionOutcome.ts';
import { patch } from '../../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../../src/main/engine/interp/sessions.ts';
import type { PatchPair } from '../../../src/main/engine/interp/types.ts';
import { WholeModel } from '../../../src/main/engine/interp/wholeModel.ts';
import { openModelFolder } from '../../../src/main/models/index.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { resolveHook, type SiteSpec } from '../../../src/shared/domain/index.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const factory = new SessionFactory({ threads: 2, provider: 'cpu' });

interface JointSite {
  readonly hook: string;
  readonly layer: number;
  readonly head: number | null;
  readonly position: number | null;
}
type Runs<T> = Readonly<Record<'clean' | 'corrupted' | 'patched', T>>;
interface Reference {
  readonly watch: readonly string[];
  readonly looks: readonly { readonly from: number; readonly to: number }[];
  readonly models: Readonly<
    Record<
      string,
      readonly {
        readonly joint: readonly JointSite[];
        readonly direction: 'denoising' | 'noising';
        readonly pairs: readonly (Runs<readonly number[]> & {
          readonly pair: string;
          readonly logit_diff: Runs<number>;
        })[];
      }[]
    >
  >;
}
const reference = JSON.parse(readFileSync(join(REFERENCE, 'attention-outcome.json'), 'utf8')) as Reference;
const watch = reference.watch.map((name) => {
  const [layer = 0, head = 0] = name.split('.').map(Number);
  return { layer, head };
});

function pairsOf(name: string): PatchPair[] {
  const lines = readFileSync(join(REFERENCE, `${name}-pairs.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const row = JSON.parse(line) as {
      id: string;
      clean: { ids: number[] };
      corrupted: { ids: number[] };
      answer: number[][];
      wrong: number[][];
    };
    return {
      id: row.id,
      clean: row.clean.ids,
      corrupted: row.corrupted.ids,
      answer: row.answer.flat(),
      wrong: row.wrong.flat(),
      read: row.clean.ids.length - 1,
    };
  });
}

const siteOf = ({ hook, layer, head, position }: JointSite): SiteSpec => {
  const name = resolveHook(hook);
  if (name === undefined) throw new Error(hook);
  return {
    hook: name,
    layer,
    ...(head === null ? {} : { head }),
    ...(position === null ? {} : { position }),
  };
};

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - (b[i] ?? NaN))));

async function all(values: AsyncIterable<AttentionOutcome>): Promise<AttentionOutcome[]> {
  const out: AttentionOutcome[] = [];
  for await (const value of values) out.push(value);
  return out;
}

describe.each(Object.entries(reference.models))('attention as the outcome, %s', (name, cases) => {
  const opened = openModelFolder(join(REFERENCE, name)).then((f) => new LoadedModel(f, factory, 2 ** 30));
  const engineOf = async (): Promise<{ sessions: PatchSessions; model: WholeModel }> => {
    const loaded = await opened;
    const compiler = new ModelCompiler(loaded);
    return {
      sessions: new PatchSessions(loaded.config, compiler),
      model: new WholeModel(loaded.config, compiler),
    };
  };
  afterAll(async () => (await opened).close());
  const pairs = pairsOf(name);

  it.each(
    cases.map((c) => [c.joint.map((s) => `${s.hook} ${s.layer}`).join(' + '), c.direction, c] as const),
  )('agrees with TransformerLens to 1e-5: %s, %s', async (_title, direction, { joint, pairs: wanted }) => {
    const { sessions, model } = await engineOf();
    const task: AttentionOutcomeTask = {
      pairs: pairs.filter(({ id }) => wanted.some(({ pair }) => pair === id)),
      direction,
      metrics: ['logit_diff'],
      sites: joint.map(siteOf),
      watch,
      looks: reference.looks,
    };
    const outcomes = await all(attentionOutcome(sessions, model, task));
    expect(outcomes).toHaveLength(wanted.length);
    for (const [i, outcome] of outcomes.entries()) {
      const one = wanted[i];
      for (const run of ['clean', 'corrupted', 'patched'] as const) {
        expect(worst(outcome[run], one?.[run] ?? [])).toBeLessThan(1e-5);
        expect(Math.abs((outcome.metrics[run][0] ?? NaN) - (one?.logit_diff[run] ?? NaN))).toBeLessThan(5e-5);
      }
      // The patch moves something somewhere: equal runs would pass any comparison of changes.
      expect(
        worst(outcome.patched, direction === 'denoising' ? outcome.corrupted : outcome.clean),
      ).toBeGreaterThan(1e-3);
    }
  });

  it('has the metrics of the packed joint patch, from every source, under noise', async () => {
    const { sessions, model } = await engineOf();
    const sites: SiteSpec[] = [
      { hook: 'blocks.{layer}.attn.hook_z', layer: 0, head: 1 },
      { hook: 'blocks.{layer}.hook_mlp_out', layer: 1, position: -1 },
    ];
    const own = pairs.filter(({ clean }) => clean.length === 12).slice(0, 2);
    const metrics = ['logit_diff', 'kl'] as const;
    const variations: readonly Partial<AttentionOutcomeTask>[] = [
      {},
      { direction: 'noising', source: { kind: 'zero' } },
      {
        direction: 'noising',
        source: { kind: 'mean', reference: own.map((p) => p.clean), perPosition: false },
      },
      { direction: 'noising', source: { kind: 'resample', reference: pairs.map((p) => p.clean), seed: 3 } },
      { noise: { draws: 2, scale: 3, seed: 7 } },
    ];
    for (const variation of variations) {
      const common = { pairs: own, direction: 'denoising' as const, metrics, ...variation };
      const outcomes = await all(
        attentionOutcome(sessions, model, { ...common, sites, watch, looks: reference.looks }),
      );
      const grids = [{ hook: 'blocks.{layer}.attn.hook_z' as const, axes: 'whole' as const, sites }];
      for await (const block of patch(sessions, { ...common, grids })) {
        const outcome = outcomes.find((o) => o.pair === block.pair && o.draw === block.draw);
        const raw = block.raw.map((values) => values[0] ?? NaN);
        expect(worst(raw, outcome?.metrics.patched ?? [])).toBeLessThan(5e-5);
        expect(worst(block.clean, outcome?.metrics.clean ?? [])).toBeLessThan(5e-5);
        expect(worst(block.corrupted, outcome?.metrics.corrupted ?? [])).toBeLessThan(5e-5);
      }
    }
  });

  it('sums over the tokens of a span, averages over queries, and reads each run in its own prompt', async () => {
    const { sessions, model } = await engineOf();
    const [first] = pairs;
    const spans = {
      who: { clean: [1, 3], corrupted: [2, 4] },
      end: { clean: [9, 11], corrupted: [9, 11] },
    } as const;
    const sites: SiteSpec[] = [{ hook: 'blocks.{layer}.attn.hook_z', layer: 0, head: 0 }];
    const run = async (looks: AttentionOutcomeTask['looks']) =>
      all(
        attentionOutcome(sessions, model, {
          pairs: first === undefined ? [] : [{ ...first, spans }],
          direction: 'denoising',
          metrics: ['logit_diff'],
          sites,
          watch: [{ layer: 2, head: 1 }],
          looks,
        }),
      );
    const [span] = await run([{ from: 'end', to: 'who' }]);
    const cells = [9, 10].flatMap((from) => [1, 2, 3].map((to) => ({ from, to })));
    const [single] = await run(cells);
    const mean = (run: 'clean' | 'corrupted' | 'patched', keys: readonly number[]): number =>
      cells.reduce((sum, { to }, i) => sum + (keys.includes(to) ? (single?.[run][i] ?? NaN) : 0), 0) / 2;
    expect(span?.clean[0]).toBeCloseTo(mean('clean', [1, 2]), 6);
    expect(span?.corrupted[0]).toBeCloseTo(mean('corrupted', [2, 3]), 6);
    expect(span?.patched[0]).toBeCloseTo(mean('patched', [2, 3]), 6);
  });

  it('refuses heads that are not there and places ahead of the query', async () => {
    const { sessions, model } = await engineOf();
    const task: AttentionOutcomeTask = {
      pairs: pairs.slice(0, 1),
      direction: 'denoising',
      metrics: ['logit_diff'],
      sites: [{ hook: 'blocks.{layer}.attn.hook_z', layer: 0, head: 0 }],
      watch: [{ layer: 2, head: 9 }],
      looks: [{ from: -1, to: 0 }],
    };
    await expect(all(attentionOutcome(sessions, model, task))).rejects.toThrow(/no head 2.9/);
    await expect(
      all(
        attentionOutcome(sessions, model, {
          ...task,
          watch: [{ layer: 2, head: 1 }],
          looks: [{ from: 2, to: 5 }],
        }),
      ),
    ).rejects.toThrow(/stands after/);
  });
});
