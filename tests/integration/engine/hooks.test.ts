import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../src/main/engine/autodiff/backward.ts';
import * as b from '../../../src/main/engine/graph/builder.ts';
import { Graph, elements, type Tensor } from '../../../src/main/engine/graph/index.ts';
import { decoderForward, unembed } from '../../../src/main/engine/nn/decoder.ts';
import { ModelCache } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory, f32, floats, i64, type Session } from '../../../src/main/runtime/sessions.ts';
import { HOOKS } from '../../../src/shared/domain/index.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));

interface Effects {
  readonly hook: string;
  readonly metric: string;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly raw: readonly (number | null)[];
  readonly estimate?: readonly (number | null)[];
}
interface Result {
  readonly pairs: readonly { id: string; clean_ids: number[]; corrupted_ids: number[] }[];
  readonly effects: readonly Effects[];
}
type Directions = Readonly<Record<'denoising' | 'noising', Result>>;
const read = (name: string): Directions => JSON.parse(readFileSync(reference(name), 'utf8')) as Directions;
const exact = read('tiny-gpt2-patch.json');
const atp = read('tiny-gpt2-atp.json');
const answers = readFileSync(reference('tiny-gpt2-pairs.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { answer: number[][]; wrong: number[][] });

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const model = await new ModelCache(sessions, 2 ** 30).get(reference('tiny-gpt2'));
const { config } = model;

/** Weights of the logit difference over the vocabulary: means over both sets. */
function contrast(pair: number): Float32Array {
  const c = new Float32Array(config.vocabSize);
  const { answer, wrong } = answers[pair] ?? { answer: [], wrong: [] };
  for (const id of answer.flat()) c[id] = (c[id] ?? 0) + 1 / answer.flat().length;
  for (const id of wrong.flat()) c[id] = (c[id] ?? 0) - 1 / wrong.flat().length;
  return c;
}

/** Logit difference at the last position: input `contrast` [V, 1]. */
function logitDifference(g: Graph, hidden: Tensor, w: (name: string) => Tensor, length: number): Tensor {
  const last = b.slice(g, hidden, 0, length - 1, length);
  return b.matmul(g, unembed(g, config, w, last), g.input('contrast', 'float32', [config.vocabSize, 1]));
}

/** A run that records every hook of `names`, and the gradient of the logit difference at each. */
async function recorder(length: number): Promise<{ session: Session; points: string[] }> {
  const g = new Graph(`record_${length}`);
  const w = model.weights(g);
  const taps = new Map<string, Tensor>();
  const { hidden } = decoderForward(g, config, w, g.input('ids', 'int64', [1, length]), {
    hook: (name, x) => {
      // Through an Identity, so that the path leads through the points beside it too.
      const seen = g.op('Identity', [x]);
      taps.set(name, seen);
      return seen;
    },
  });
  const metric = logitDifference(g, hidden, w, length);
  const points = [...taps.keys()];
  const tensors = [...taps.values()];
  gradients(
    g,
    [{ tensor: metric, cotangent: g.constant('one', [1, 1], Float32Array.of(1)) }],
    tensors,
  ).forEach((gradient, i) => {
    g.output(`value:${points[i] ?? ''}`, tensors[i] ?? metric);
    if (gradient !== null) g.output(`gradient:${points[i] ?? ''}`, gradient);
  });
  g.output('metric', metric);
  return { session: await model.compile(g), points };
}

/** A run in which one head's values at a hook are replaced by given ones. */
async function replacer(hook: string, headAxis: number, length: number): Promise<Session> {
  const g = new Graph(`replace_${hook}`);
  const w = model.weights(g);
  const { hidden } = decoderForward(g, config, w, g.input('ids', 'int64', [1, length]), {
    hook: (name, x) => {
      if (name !== hook) return x;
      const heads = x.shape.map((d, i) => (i === headAxis ? Number(d) : 1));
      return b.where(g, g.input('head', 'bool', heads), g.input('source', 'float32', x.shape.map(Number)), x);
    },
  });
  g.output('metric', logitDifference(g, hidden, w, length));
  return model.compile(g);
}

const recorders = new Map([...new Set([9, 12])].map((length) => [length, recorder(length)]));
async function record(ids: readonly number[], pair: number): Promise<Record<string, Float32Array>> {
  const { session } = (await recorders.get(ids.length)) ?? { session: null };
  if (session === null) throw new Error(`no recorder for ${ids.length} tokens`);
  const results = await session.run({
    ids: i64(ids, [1, ids.length]),
    contrast: f32(contrast(pair), [config.vocabSize, 1]),
  });
  return Object.fromEntries(session.outputs.map((name) => [name, floats(results, name)]));
}

const runsOf = (result: Result, direction: string, pair: number): { base: number[]; source: number[] } => {
  const { clean_ids: clean, corrupted_ids: corrupted } = result.pairs[pair] ?? {
    clean_ids: [],
    corrupted_ids: [],
  };
  return direction === 'denoising' ? { base: corrupted, source: clean } : { base: clean, source: corrupted };
};

describe('hook points of the forward pass', () => {
  it('have TransformerLens names, in the order of computation', async () => {
    const { points } = (await recorders.get(9)) ?? { points: [] };
    const block = [
      'hook_resid_pre',
      'ln1.hook_scale',
      'ln1.hook_normalized',
      'attn.hook_q',
      'attn.hook_k',
      'attn.hook_v',
      'attn.hook_attn_scores',
      'attn.hook_pattern',
      'attn.hook_z',
      'attn.hook_result',
      'hook_attn_out',
      'hook_resid_mid',
      'ln2.hook_scale',
      'ln2.hook_normalized',
      'mlp.hook_pre',
      'mlp.hook_post',
      'hook_mlp_out',
      'hook_resid_post',
    ];
    const blocks = [0, 1, 2].flatMap((layer) => block.map((point) => `blocks.${layer}.${point}`));
    const ends = ['ln_final.hook_scale', 'ln_final.hook_normalized'];
    expect(points).toEqual(['hook_embed', 'hook_pos_embed', ...blocks, ...ends]);
    // The caller unembeds the rows it needs.
    for (const { name } of HOOKS)
      if (name !== 'logits') expect(points).toContain(name.replace('{layer}', '2'));
  });

  const headAxis: Readonly<Record<string, number>> = {
    'attn.hook_q': 2,
    'attn.hook_k': 2,
    'attn.hook_v': 2,
    'attn.hook_z': 2,
    'attn.hook_pattern': 1,
    'attn.hook_attn_scores': 1,
  };
  for (const direction of ['denoising', 'noising'] as const) {
    it(`replace a head's values as TransformerLens does (${direction})`, async () => {
      const result = exact[direction];
      let compared = 0;
      for (const [point, axis] of Object.entries(headAxis)) {
        const expected = result.effects.find(
          (e) =>
            e.hook === `blocks.{layer}.${point}` &&
            e.metric === 'logit_diff' &&
            e.axes.join() === 'pair,layer,head',
        );
        for (let layer = 0; layer < config.nLayer; layer++) {
          const name = `blocks.${layer}.${point}`;
          const session = await replacer(name, axis, 12);
          for (const pair of [1, 3, 5]) {
            const { base, source } = runsOf(result, direction, pair);
            const values = await record(source, pair);
            for (let head = 0; head < config.nHead; head++) {
              const sourceShape =
                axis === 2 ? [1, 12, config.nHead, config.dModel / config.nHead] : [1, config.nHead, 12, 12];
              const run = await session.run({
                ids: i64(base, [1, 12]),
                contrast: f32(contrast(pair), [config.vocabSize, 1]),
                source: f32(values[`value:${name}`] ?? new Float32Array(), sourceShape),
                head: {
                  data: Uint8Array.from({ length: config.nHead }, (_, h) => (h === head ? 1 : 0)),
                  dims: sourceShape.map((_, i) => (i === axis ? config.nHead : 1)),
                },
              });
              const raw = expected?.raw[(pair * config.nLayer + layer) * config.nHead + head] ?? NaN;
              // tests/reference/README.md: raw logit_diff.
              expect(Math.abs((floats(run, 'metric')[0] ?? NaN) - raw), `${name} head ${head}`).toBeLessThan(
                5e-5,
              );
              compared += 1;
            }
          }
          await session.close();
        }
      }
      expect(compared).toBe(6 * 3 * 3 * 4);
    });

    it(`have the gradients of attribution patching (${direction})`, async () => {
      const result = atp[direction];
      let compared = 0;
      for (let pair = 0; pair < result.pairs.length; pair++) {
        const { base, source } = runsOf(result, direction, pair);
        const [at, from] = [await record(base, pair), await record(source, pair)];
        for (const { hook, metric, axes, shape, estimate } of result.effects) {
          if (metric !== 'logit_diff' || axes.at(-1) === 'position') continue;
          const heads = axes.at(-1) === 'head' ? (shape.at(-1) ?? 1) : 1;
          for (let layer = 0; layer < config.nLayer; layer++) {
            const name = hook.replace('{layer}', String(layer));
            const [a, s, d] = [at[`value:${name}`], from[`value:${name}`], at[`gradient:${name}`]];
            if (a === undefined || s === undefined || d === undefined) throw new Error(`no ${name}`);
            const sums = new Float64Array(heads);
            // Pattern is [head, query, key], the other head hooks are [token, head, width].
            const inner = hook.endsWith('pattern') ? a.length / heads : config.dModel / config.nHead;
            a.forEach((v, i) => {
              const head = heads === 1 ? 0 : Math.floor(i / inner) % heads;
              sums[head] = (sums[head] ?? 0) + ((s[i] ?? 0) - v) * (d[i] ?? 0);
            });
            sums.forEach((sum, head) => {
              const expected = estimate?.[(pair * config.nLayer + layer) * heads + head] ?? NaN;
              expect(Math.abs(sum - expected), `${name} head ${head}`).toBeLessThan(5e-5);
              compared += 1;
            });
          }
        }
      }
      expect(compared).toBe(6 * 3 * (7 + 5 * 4));
    });
  }

  it('give every gradient the shape of its value', async () => {
    const values = await record(exact.denoising.pairs[0]?.clean_ids ?? [], 0);
    const names = Object.keys(values).filter((n) => n.startsWith('value:'));
    for (const name of names)
      expect(values[name.replace('value', 'gradient')]?.length).toBe(values[name]?.length);
    expect(elements([names.length])).toBe(58);
  });
});
