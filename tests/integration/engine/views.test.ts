import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphCache } from '../../../src/main/engine/interp/graphCache.ts';
import { attentionPatterns } from '../../../src/main/engine/interp/views/attention.ts';
import { directLogitAttribution } from '../../../src/main/engine/interp/views/dla.ts';
import { logitLens } from '../../../src/main/engine/interp/views/lens.ts';
import { logitsAtRows } from '../../../src/main/engine/nn/readGraphs.ts';
import { openModelFolder } from '../../../src/main/models/index.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { floats, i64, SessionFactory } from '../../../src/main/runtime/sessions.ts';

const factory = new SessionFactory({ threads: 2, provider: 'cpu' });
const FOLDERS = [
  ['tiny-gpt2', join(import.meta.dirname, '../../reference/tiny-gpt2')],
  ['tiny-llama', join(import.meta.dirname, '../../reference/tiny-llama')],
  ['tiny-neox', join(import.meta.dirname, '../../reference/tiny-neox')],
  ['tiny-gptj', join(import.meta.dirname, '../../reference/tiny-gptj')],
] as const;
const PROMPTS = [
  [1, 31, 5, 13, 95, 51, 35, 93],
  [21, 14, 51, 74, 17],
  [6, 41, 3, 74, 77, 73, 96, 49, 75, 36],
];

describe.each(FOLDERS)('%s', (name, folder) => {
  const opened = openModelFolder(folder).then((f) => new LoadedModel(f, factory, 2 ** 30));
  const cacheOf = async (): Promise<{ model: LoadedModel; cache: GraphCache }> => {
    const model = await opened;
    return { model, cache: new GraphCache(model.config, new ModelCompiler(model)) };
  };
  afterAll(async () => (await opened).close());

  async function logitsOf(
    model: LoadedModel,
    ids: readonly number[],
    rows: readonly number[],
  ): Promise<Float32Array> {
    const session = await model.session('logits', () => logitsAtRows(model.config, model.weights));
    return floats(
      await session.run({ ids: i64(ids, [1, ids.length]), rows: i64(rows, [rows.length]) }),
      'logits',
    );
  }

  it('direct logit attribution: all parts add up to the logit difference', async () => {
    const { model, cache } = await cacheOf();
    const { nLayer, nHead, vocabSize } = model.config;
    const [answer, wrong] = [
      [3, 7, 7],
      [9, 11],
    ];
    const reads = [7, 3, 9];
    const results = await directLogitAttribution(
      cache,
      PROMPTS.map((ids, i) => ({ ids, answer, wrong, read: reads[i] ?? 0 })),
    );
    expect(results).toHaveLength(PROMPTS.length);
    for (const [i, r] of results.entries()) {
      const logits = await logitsOf(model, PROMPTS[i]!, [reads[i]!]);
      const mean = (ids: readonly number[]): number => ids.reduce((s, id) => s + logits[id]!, 0) / ids.length;
      // Float32 sums of about ten logits of size 10.
      expect(Math.abs(r.logitDiff - (mean(answer) - mean(wrong)))).toBeLessThan(2e-5);
      const parts =
        [...r.attnOut, ...r.mlpOut].reduce((s, x) => s + x, 0) + r.embed + r.posEmbed + r.constant;
      expect(Math.abs(parts - r.logitDiff)).toBeLessThan(2e-5);
      expect(r.heads).toHaveLength(nLayer * nHead);
      expect(Math.max(...r.heads.map(Math.abs))).toBeGreaterThan(1e-3);
      // Llama's and GPT-J's projections have no bias.
      const bias = Math.max(...r.attnBias.map(Math.abs));
      if (name === 'tiny-gpt2' || name === 'tiny-neox') expect(bias).toBeGreaterThan(1e-3);
      else expect(bias).toBeLessThan(1e-5);
      expect(logits).toHaveLength(vocabSize);
    }
  });

  it('logit lens: behind the last layer it is the model’s own output', async () => {
    const { model, cache } = await cacheOf();
    const { vocabSize, nLayer } = model.config;
    const prompt = PROMPTS[0]!;
    const positions = [0, 3, 7];
    const track = [5, 9, 9, 2];
    const lens = await logitLens(cache, { prompt, positions, track, top: 4 });
    const logits = await logitsOf(model, prompt, positions);
    expect(lens.layers).toBe(nLayer + 1);
    positions.forEach((_, p) => {
      const row = logits.subarray(p * vocabSize, (p + 1) * vocabSize);
      const total = row.reduce((s, x) => s + Math.exp(x), 0);
      const place = nLayer * positions.length + p;
      track.forEach((id, u) => {
        expect(Math.abs(lens.logits[place * track.length + u]! - row[id]!)).toBeLessThan(1e-5);
        expect(Math.abs(lens.probs[place * track.length + u]! - Math.exp(row[id]!) / total)).toBeLessThan(
          1e-5,
        );
      });
      const best = Array.from(row.keys())
        .sort((a, c) => row[c]! - row[a]!)
        .slice(0, 4);
      expect([...lens.topIds.subarray(place * 4, place * 4 + 4)]).toEqual(best);
      expect(Math.abs(lens.topProbs[place * 4]! - Math.exp(row[best[0]!]!) / total)).toBeLessThan(1e-5);
    });
    // Before the first block the lens reads the embedding alone: other tokens than behind the last.
    expect([...lens.topIds.subarray(0, 4)]).not.toEqual([...lens.topIds.subarray(-4)]);
  });

  it('attention patterns: every query’s weights sum to 1 over the keys it may see', async () => {
    const { model, cache } = await cacheOf();
    const { nHead, nLayer } = model.config;
    const layers = [nLayer - 1, 0];
    const [first, second] = await attentionPatterns(cache, PROMPTS.slice(0, 2), layers);
    for (const [pattern, prompt] of [
      [first!, PROMPTS[0]!],
      [second!, PROMPTS[1]!],
    ] as const) {
      const T = prompt.length;
      expect(pattern.weights).toHaveLength(2 * nHead * T * T);
      for (let row = 0; row < 2 * nHead * T; row++) {
        const weights = pattern.weights.subarray(row * T, (row + 1) * T);
        expect(Math.abs(weights.reduce((s, x) => s + x, 0) - 1)).toBeLessThan(1e-5);
        weights.forEach((x, key) => {
          if (key > row % T) expect(x).toBe(0);
        });
      }
    }
    const alone = await attentionPatterns(cache, [PROMPTS[0]!], [0]);
    expect(alone[0]!.weights).toEqual(first!.weights.subarray(nHead * 64));
  });
});
