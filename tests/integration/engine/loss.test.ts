import { describe, expect, it } from 'vitest';
import { gradients } from '../../../src/main/engine/autodiff/backward.ts';
import { Graph, type Tensor } from '../../../src/main/engine/graph/index.ts';
import {
  blockRows,
  crossEntropy,
  crossEntropyWithGradients,
} from '../../../src/main/engine/nn/crossEntropy.ts';
import { gradientName, trainGraph, type TrainGraph } from '../../../src/main/engine/nn/trainGraph.ts';
import { Mt19937 } from '../../../src/main/engine/random/index.ts';
import { freshWeights } from '../../../src/main/models/create.ts';
import { SessionFactory, f32, floats, i64, type Feeds } from '../../../src/main/runtime/sessions.ts';
import { dropoutMask } from '../../../src/main/runtime/training/masks.ts';
import type { ModelConfig } from '../../../src/shared/domain/index.ts';

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const random = new Mt19937(3);
const normals = (n: number, scale: number): Float32Array =>
  Float32Array.from({ length: n }, () => scale * random.normal());
const largest = (values: Float32Array): number => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

describe('cross-entropy in blocks', () => {
  it('cuts rows evenly and completely', () => {
    expect(blockRows(2048, 1500)).toEqual([1024, 1024]);
    expect(blockRows(100, 50_257)).toEqual([100]);
    expect(blockRows(1000, 50_257).reduce((s, n) => s + n, 0)).toBe(1000);
  });

  for (const scale of [1, 40]) {
    it(`equals the plain loss and its gradients (logits of about ${scale * 4})`, async () => {
      const [N, V, d] = [700, 9001, 16];
      const g = new Graph('loss');
      const inputs = {
        hidden: g.input('hidden', 'float32', [N, d]),
        unembedding: g.input('unembedding', 'float32', [V, d]),
        labels: g.input('labels', 'int64', [N]),
        weights: g.input('weights', 'float32', [N, 1]),
      };
      expect(blockRows(N, V).length).toBeGreaterThan(1);
      const plain = crossEntropy(g, inputs);
      const one = g.constant('one', [], Float32Array.of(1));
      const [hidden, unembedding] = gradients(
        g,
        [{ tensor: plain, cotangent: one }],
        [inputs.hidden, inputs.unembedding],
      );
      const fused = crossEntropyWithGradients(g, inputs);
      const outputs: Record<string, Tensor> = {
        plain_loss: plain,
        fused_loss: fused.loss,
        plain_hidden: hidden ?? plain,
        fused_hidden: fused.hidden,
        plain_unembedding: unembedding ?? plain,
        fused_unembedding: fused.unembedding,
      };
      for (const [name, tensor] of Object.entries(outputs)) g.output(name, tensor);
      const session = await sessions.open(g);
      const counted = Float32Array.from({ length: N }, (_, i) => (i % 3 === 0 ? 0 : 1.5 / N));
      const run = await session.run({
        hidden: f32(normals(N * d, 1), [N, d]),
        unembedding: f32(normals(V * d, scale), [V, d]),
        labels: i64(
          Array.from({ length: N }, (_, i) => (i * 131) % V),
          [N],
        ),
        weights: f32(counted, [N, 1]),
      });
      await session.close();
      for (const what of ['loss', 'hidden', 'unembedding']) {
        const [p, f] = [floats(run, `plain_${what}`), floats(run, `fused_${what}`)];
        const difference = p.reduce((m, v, i) => Math.max(m, Math.abs(v - (f[i] ?? NaN))), 0);
        // The plain gradient is e^(logit − log Σ exp): its relative error is the absolute rounding of logits of
        // up to 500 (3e-5); a wrong formula is off by more than 1e-2.
        expect(difference / largest(p), what).toBeLessThan(1e-4);
      }
    });
  }
});

const CONFIG: ModelConfig = {
  family: 'gpt2',
  nLayer: 2,
  nHead: 2,
  dModel: 8,
  dMlp: 16,
  nCtx: 12,
  vocabSize: 23,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
};
const B = 3;
const T = 10;
const weights = freshWeights(CONFIG, 5).map((w) => ({
  ...w,
  data: w.data.map((v) => v + 0.3 * random.normal()),
}));
const build = (dropout: number, config = CONFIG): TrainGraph =>
  trainGraph({
    config,
    parameters: weights.map(({ name, shape }) => ({ name, shape })),
    batch: B,
    length: T,
    dropout,
  });

function feedsOf(train: TrainGraph, p: number): Record<string, Feeds[string]> {
  const feeds: Record<string, Feeds[string]> = {
    ids: i64(
      Array.from({ length: B * T }, (_, i) => (i * 7) % 23),
      [B, T],
    ),
    labels: i64(
      Array.from({ length: B * T }, (_, i) => (i * 5) % 23),
      [B * T],
    ),
    weights: f32(new Float32Array(B * T).fill(1 / (B * T)), [B * T, 1]),
  };
  for (const { name, shape, data } of weights) feeds[name] = f32(data.slice(), shape);
  train.masks.forEach(({ name, shape }, site) => {
    const size = shape.reduce((n, s) => n * s, 1);
    feeds[name] = { data: dropoutMask({ seed: 1, step: 0, batch: 0, site }, size, p), dims: shape };
  });
  return feeds;
}

describe('dropout in the training graph', () => {
  it('costs nothing at 0', () => {
    expect(build(0).masks).toEqual([]);
    expect(build(0).graph.nodes.some((n) => n.op === 'Where')).toBe(false);
  });

  it('acts on embeddings, patterns and both residual writes of every layer', () => {
    expect(build(0.2).masks).toEqual([
      { name: 'drop:embedding', shape: [B * T, 8], site: 0 },
      ...[0, 1].flatMap((layer) => [
        { name: `drop:${layer}:attention`, shape: [B, 2, T, T], site: 3 * layer + 1 },
        { name: `drop:${layer}:attn_out`, shape: [B * T, 8], site: 3 * layer + 2 },
        { name: `drop:${layer}:mlp_out`, shape: [B * T, 8], site: 3 * layer + 3 },
      ]),
    ]);
  });

  // Not relu: steps across its kink spoil a numeric slope; its rule is checked on its own.
  for (const activation of ['gelu_new', 'gelu'] as const) {
    it(`leaves the gradients right (${activation})`, async () => {
      const train = build(0.2, { ...CONFIG, activation });
      const session = await sessions.open(train.graph);
      const feeds = feedsOf(train, 0.2);
      const loss = async (): Promise<number> => floats(await session.run(feeds, ['loss']), 'loss')[0] ?? NaN;
      const results = await session.run(feeds);
      const step = 2e-3;
      for (const { name, data } of weights) {
        const direction = normals(data.length, 1);
        const fed = feeds[name]?.data as Float32Array; // weights are fed as float32
        const move = (by: number): void => direction.forEach((v, i) => (fed[i] = (data[i] ?? 0) + by * v));
        move(step);
        const above = await loss();
        move(-step);
        const below = await loss();
        move(0);
        const gradient = floats(results, gradientName(name));
        const slope = gradient.reduce((s, v, i) => s + v * (direction[i] ?? 0), 0);
        const scale = Math.sqrt(gradient.reduce((s, v) => s + v * v, 0) * data.length) + 0.01;
        // Central differences of a float32 loss of about 4: 1e-6 / 2e-3, and the third derivative.
        expect(Math.abs((above - below) / (2 * step) - slope) / scale, name).toBeLessThan(1e-2);
      }
      await session.close();
    });
  }
});
