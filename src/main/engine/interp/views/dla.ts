import { headWidth, type ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import { gradients } from '../../autodiff/backward.ts';
import * as b from '../../graph/builder.ts';
import { Graph, type Tensor } from '../../graph/index.ts';
import { decoderForward } from '../../nn/decoder.ts';
import { familyOf } from '../../nn/registry.ts';
import { floats, ints, type GraphCompiler } from '../compiler.ts';
import type { GraphCache } from '../graphCache.ts';
import { weightsOf } from '../graphs.ts';
import { batches, idsFeed } from './prompts.ts';

/** Tokens in one run. */
const TOKENS_PER_RUN = 2048;

export interface DlaPrompt {
  readonly ids: readonly number[];
  readonly answer: readonly number[];
  readonly wrong: readonly number[];
  /** Position at which the logits are read. */
  readonly read: number;
}

/**
 * Direct logit attribution of one prompt: what each part of the residual stream at the read position adds to the
 * logit difference (mean over the answers − mean over the wrong answers) by way of the final norm with its scale
 * as it is, and the unembedding. `embed + posEmbed + Σ attnOut + Σ mlpOut + constant` is the logit difference.
 */
export interface DlaResult {
  readonly logitDiff: number;
  readonly embed: number;
  /** 0 where positions are not embedded. */
  readonly posEmbed: number;
  /** Per layer. */
  readonly attnOut: Float32Array;
  readonly mlpOut: Float32Array;
  /** [layers, heads]; with `attnBias` they add up to `attnOut`. */
  readonly heads: Float32Array;
  /** What the output projection's bias adds, per layer. */
  readonly attnBias: Float32Array;
  /** From the final norm's bias and the unembedding's. */
  readonly constant: number;
}

const EMBEDDINGS = ['hook_embed', 'hook_pos_embed'] as const;

/**
 * Inputs `ids` [B, T], `read` [B], `columns` [U] and `weights` [B, U] (what each column counts). Outputs [B, 1]:
 * `metric`, `hook_embed`, `hook_pos_embed` (learned positions), `stream` (the whole stream's part); `attn` and
 * `mlp` [layers, B, 1]; `heads` [layers, B, H].
 */
function dlaGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const { nLayer, nHead: H } = config;
  const g = new Graph('dla');
  const w = weightsOf(g, compiler);
  const taps = new Map<string, Tensor>();
  const { hidden } = decoderForward(g, config, w, g.input('ids', 'int64', ['B', 'T']), {
    hook: (point, given) => {
      // A constant for the backward pass: the scale stays as it is.
      const value = point === 'ln_final.hook_scale' ? b.cast(g, given, 'float32') : given;
      taps.set(point, value);
      return value;
    },
  });
  const at = (point: string): Tensor => {
    const tensor = taps.get(point);
    invariant(tensor !== undefined, `the forward pass has no ${point}`);
    return tensor;
  };
  const read = g.input('read', 'int64', ['B']);
  const ids = g.input('columns', 'int64', ['U']);
  const weights = g.input('weights', 'float32', ['B', 'U']);
  const family = familyOf(config);
  const columns = b.gather(g, family.unembedding(w), ids); // [U, d]
  const bias = family.unembeddingBias(w);
  const rows = b.gather(g, hidden, read); // [B, d]
  const logits = b.gemm(g, rows, columns, bias === null ? null : b.gather(g, bias, ids), { transB: true });
  g.output('metric', b.reduceSum(g, b.mul(g, logits, weights), [1]));

  const stream = at(`blocks.${nLayer - 1}.hook_resid_post`);
  const [back] = gradients(g, [{ tensor: rows, cotangent: b.matmul(g, weights, columns) }], [stream]);
  invariant(back != null, 'the final rows depend on the stream');
  const direction = b.gather(g, back, read); // [B, d]: ∂ logit difference / ∂ stream at the read position
  const along = (rowsOf: Tensor): Tensor =>
    b.reduceSum(g, b.mul(g, b.gather(g, rowsOf, read), direction), [1]);
  g.output('stream', along(stream));
  for (const point of EMBEDDINGS) if (taps.has(point)) g.output(point, along(at(point)));

  const layers = Array.from({ length: nLayer }, (_, layer) => layer);
  const each = (of: (layer: number) => Tensor): Tensor =>
    b.concat(
      g,
      layers.map((layer) => b.unsqueeze(g, of(layer), [0])),
      0,
    );
  g.output(
    'attn',
    each((layer) => along(at(`blocks.${layer}.hook_attn_out`))),
  );
  g.output(
    'mlp',
    each((layer) => along(at(`blocks.${layer}.hook_mlp_out`))),
  );
  g.output(
    'heads',
    each((layer) => {
      const z = at(`blocks.${layer}.attn.hook_z`); // [B, T, H, dh]
      const flat = g.op('Reshape', [z, g.ints([-1, H * headWidth(config)])], {}, [
        'B*T',
        H * headWidth(config),
      ]);
      const own = b.gather(g, flat, read); // [B, H·dh]
      const written = family.attentionOutput(g, w, layer, own); // [B, d]
      const [slope] = gradients(g, [{ tensor: written, cotangent: direction }], [own]);
      invariant(slope != null, 'attn_out depends on z');
      const parts = b.reshape(g, b.mul(g, own, slope), ['B', H, headWidth(config)]);
      return b.reduceSum(g, parts, [2], false); // [B, H]
    }),
  );
  return g;
}

const share = (ids: readonly number[], id: number): number => ids.filter((x) => x === id).length / ids.length;

/** Direct logit attribution of prompts, each at its read position (METHODS section 7). */
export async function directLogitAttribution(
  cache: GraphCache,
  prompts: readonly DlaPrompt[],
): Promise<DlaResult[]> {
  const { nLayer: L, nHead: H, rotary } = cache.config;
  const graph = await cache.get('dla', dlaGraph);
  const results: DlaResult[] = [];
  const sequences = prompts.map(({ ids, read }) => ids.slice(0, read + 1));
  for (const batch of batches(sequences, TOKENS_PER_RUN)) {
    const own = prompts.slice(batch.from, batch.from + batch.prompts.length);
    const B = own.length;
    const columns = [...new Set(own.flatMap(({ answer, wrong }) => [...answer, ...wrong]))];
    const weights = own.flatMap(({ answer, wrong }) =>
      columns.map((id) => share(answer, id) - share(wrong, id)),
    );
    const fetches = ['metric', 'stream', 'hook_embed', ...(rotary === undefined ? ['hook_pos_embed'] : [])];
    const out = await graph.run(
      {
        ids: idsFeed(batch),
        read: ints(
          own.map(({ read }, i) => i * batch.tokens + read),
          [B],
        ),
        columns: ints(columns, [columns.length]),
        weights: floats(Float32Array.from(weights), [B, columns.length]),
      },
      [...fetches, 'attn', 'mlp', 'heads'],
    );
    const value = (name: string, i: number): number => out[name]?.[i] ?? 0;
    own.forEach((_, i) => {
      const perLayer = (of: (layer: number) => number): Float32Array =>
        Float32Array.from({ length: L }, (_l, l) => of(l));
      const heads = Float32Array.from({ length: L * H }, (_h, k) =>
        value('heads', (Math.floor(k / H) * B + i) * H + (k % H)),
      );
      const attnOut = perLayer((l) => value('attn', l * B + i));
      const ofHeads = (l: number): number => heads.subarray(l * H, (l + 1) * H).reduce((s, x) => s + x, 0);
      results.push({
        logitDiff: value('metric', i),
        embed: value('hook_embed', i),
        posEmbed: value('hook_pos_embed', i),
        attnOut,
        mlpOut: perLayer((l) => value('mlp', l * B + i)),
        heads,
        attnBias: perLayer((l) => (attnOut[l] ?? 0) - ofHeads(l)),
        constant: value('metric', i) - value('stream', i),
      });
    });
  }
  return results;
}
