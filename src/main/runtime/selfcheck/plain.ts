import type { ModelConfig } from '../../../shared/domain/index.ts';

/** A weight's values under its canonical name, row-major. */
export type Values = (name: string) => Float32Array;

/** rows [n, from] × weight [from, to] + bias [to]. */
function linear(rows: Float64Array, n: number, weight: Float32Array, bias: Float32Array): Float64Array {
  const to = bias.length;
  const from = weight.length / to;
  const out = new Float64Array(n * to);
  for (let i = 0; i < n; i++) {
    for (let o = 0; o < to; o++) {
      let sum = bias[o] ?? 0;
      for (let k = 0; k < from; k++) sum += (rows[i * from + k] ?? 0) * (weight[k * to + o] ?? 0);
      out[i * to + o] = sum;
    }
  }
  return out;
}

function norm(
  rows: Float64Array,
  d: number,
  gain: Float32Array,
  bias: Float32Array,
  epsilon: number,
): Float64Array {
  return rows.map((_, index) => {
    const start = index - (index % d);
    const row = rows.subarray(start, start + d);
    const mean = row.reduce((s, v) => s + v, 0) / d;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / d;
    const j = index % d;
    return (((rows[index] ?? 0) - mean) / Math.sqrt(variance + epsilon)) * (gain[j] ?? 0) + (bias[j] ?? 0);
  });
}

function softmax(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - most));
  const total = powers.reduce((s, p) => s + p, 0);
  return powers.map((p) => p / total);
}

const gelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Causal attention over fused rows [n, 3d] (queries, keys, values) → [n, d]. */
function attention(fused: Float64Array, n: number, d: number, heads: number): Float64Array {
  const dh = d / heads;
  const out = new Float64Array(n * d);
  const at = (row: number, part: number, h: number, j: number): number =>
    fused[row * 3 * d + part * d + h * dh + j] ?? 0;
  const dims = Array.from({ length: dh }, (_, j) => j);
  for (let h = 0; h < heads; h++) {
    for (let q = 0; q < n; q++) {
      const keys = Array.from({ length: q + 1 }, (_, k) => k);
      const pattern = softmax(
        keys.map((k) => dims.reduce((s, j) => s + at(q, 0, h, j) * at(k, 1, h, j), 0) / Math.sqrt(dh)),
      );
      for (const j of dims)
        out[q * d + h * dh + j] = keys.reduce((s, k) => s + (pattern[k] ?? 0) * at(k, 2, h, j), 0);
    }
  }
  return out;
}

/**
 * GPT-2 written out with loops and double precision: logits of the last token of one prompt. Far too slow for
 * use; it is what the compiled graphs are held against on the user's own machine.
 */
export function plainGpt2(config: ModelConfig, w: Values, ids: readonly number[]): Float64Array {
  const { dModel: d, layerNormEps: epsilon } = config;
  const n = ids.length;
  const plus = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, i) => v + (b[i] ?? 0));
  let x: Float64Array = Float64Array.from({ length: n * d }, (_, i) => {
    const t = Math.floor(i / d);
    return (w('wte.weight')[(ids[t] ?? 0) * d + (i % d)] ?? 0) + (w('wpe.weight')[i] ?? 0);
  });
  for (let layer = 0; layer < config.nLayer; layer++) {
    const part = (name: string): [Float32Array, Float32Array] => [
      w(`h.${layer}.${name}.weight`),
      w(`h.${layer}.${name}.bias`),
    ];
    const fused = linear(norm(x, d, ...part('ln_1'), epsilon), n, ...part('attn.c_attn'));
    x = plus(x, linear(attention(fused, n, d, config.nHead), n, ...part('attn.c_proj')));
    const hidden = linear(norm(x, d, ...part('ln_2'), epsilon), n, ...part('mlp.c_fc')).map(gelu);
    x = plus(x, linear(hidden, n, ...part('mlp.c_proj')));
  }
  const last = norm(x.slice(-d), d, w('ln_f.weight'), w('ln_f.bias'), epsilon);
  const wte = w('wte.weight');
  return Float64Array.from({ length: config.vocabSize }, (_, v) =>
    last.reduce((s, value, j) => s + value * (wte[v * d + j] ?? 0), 0),
  );
}
