import { describe, expect, it } from 'vitest';
import { KEY_MASK } from '../../../src/main/engine/nn/keyMask.ts';
import { gradientName, trainGraph, type TrainGraph } from '../../../src/main/engine/nn/trainGraph.ts';
import { freshWeights } from '../../../src/main/models/create.ts';
import { f32, floats, i64, SessionFactory, type Results } from '../../../src/main/runtime/sessions.ts';
import type { ModelConfig } from '../../../src/shared/domain/index.ts';

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const B = 2;
/** Three blocks of unequal size would be 133, 133 and 134: no multiple of anything. */
const T = 400;
const CONFIG: ModelConfig = {
  family: 'gpt2',
  nLayer: 2,
  nHead: 2,
  dModel: 16,
  dMlp: 32,
  nCtx: 512,
  vocabSize: 23,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
};
const weights = [...freshWeights(CONFIG, 5)];
const parameters = weights.map(({ name, shape }) => ({ name, shape }));

/** `hidePadding` looks at the scores, and so keeps them whole; with every key to be seen it changes nothing. */
const build = (hidePadding: boolean): TrainGraph =>
  trainGraph({ config: CONFIG, parameters, batch: B, length: T, dropout: 0, hidePadding });

async function run({ graph }: TrainGraph): Promise<Results> {
  const session = await sessions.open(graph);
  const results = await session.run({
    ids: i64(
      Array.from({ length: B * T }, (_, i) => (i * 7 + (i % 11)) % 23),
      [B, T],
    ),
    labels: i64(
      Array.from({ length: B * T }, (_, i) => (i * 5) % 23),
      [B * T],
    ),
    weights: f32(new Float32Array(B * T).fill(1 / (B * T)), [B * T, 1]),
    [KEY_MASK]: f32(new Float32Array(B * T), [B, 1, 1, T]),
    ...Object.fromEntries(weights.map(({ name, shape, data }) => [name, f32(data, shape)])),
  });
  await session.close();
  return results;
}

/** Elements of all attention patterns of a graph. */
const patterns = ({ graph }: TrainGraph): number =>
  graph.nodes
    .filter(({ op, outputs: [y] }) => op === 'Softmax' && y?.shape.length === 4)
    .reduce((sum, { outputs: [y] }) => sum + (y?.shape.reduce<number>((n, d) => n * Number(d), 1) ?? 0), 0);

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((s, v) => s + v * v, 0));

describe('causal attention block of queries by block', () => {
  it('gives the loss and gradients of whole score matrices, with a third of them left out', async () => {
    const [blocks, whole] = [build(false), build(true)];
    expect(patterns(whole)).toBe(CONFIG.nLayer * B * CONFIG.nHead * T * T);
    expect(patterns(blocks) / patterns(whole)).toBeCloseTo(2 / 3, 2);
    const [a, b] = [await run(blocks), await run(whole)];
    // Rounding of float32 sums in another order.
    expect(Math.abs((floats(a, 'loss')[0] ?? NaN) / (floats(b, 'loss')[0] ?? NaN) - 1)).toBeLessThan(1e-6);
    for (const { name } of weights) {
      const [one, other] = [floats(a, gradientName(name)), floats(b, gradientName(name))];
      const apart = one.map((v, i) => v - (other[i] ?? NaN));
      expect(norm(apart), name).toBeLessThan(2e-5 * norm(other) + 1e-9);
    }
  });
});
