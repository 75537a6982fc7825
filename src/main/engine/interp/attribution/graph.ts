import {
  hookAt,
  isLayered,
  type HookName,
  type MetricName,
  type ModelConfig,
} from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import { gradients } from '../../autodiff/backward.ts';
import * as b from '../../graph/builder.ts';
import { Graph, type Tensor } from '../../graph/index.ts';
import { decoderForward } from '../../nn/decoder.ts';
import type { Weights } from '../../nn/family.ts';
import type { GraphCompiler } from '../compiler.ts';
import { weightsOf } from '../graphs.ts';
import { differentiable, readRows, type Read } from './metrics.ts';
import { keyFix, queryFix } from './qkFix.ts';

/** A hook whose sites are estimated; `element` keeps every element apart instead of summing the last axis. */
export interface WantedHook {
  readonly hook: HookName;
  readonly grain: 'sum' | 'element';
}

/** What one compiled graph estimates. Everything that changes the graph is here. */
export interface GraphSpec {
  readonly hooks: readonly WantedHook[];
  readonly metrics: readonly MetricName[];
  /** Where gradients are taken: at the base run, or along the line of embeddings from base to source. */
  readonly path: 'base' | 'inputs';
  /** Each pair has several rows of the gradient run (steps of the line, or layers left out). */
  readonly repeated: boolean;
  /** Gradients can be stopped at each layer's residual writes (GradDrop). */
  readonly gates: boolean;
  readonly qkFix: boolean;
  /** Which run the KL divergence compares with. */
  readonly clean: 'base' | 'source';
}

export function graphName(spec: GraphSpec): string {
  const hooks = spec.hooks.map(({ hook, grain }) => `${hook}${grain === 'element' ? '*' : ''}`);
  const { path, repeated, gates, qkFix, clean } = spec;
  return JSON.stringify(['attribution', hooks, spec.metrics, path, repeated, gates, qkFix, clean]);
}

export const estimateName = (metric: MetricName, hook: HookName): string => `estimate:${metric}:${hook}`;

/** Points beside the path of computation; a gradient there needs the path led through them. */
const BESIDE = /\.hook_scale$/;
const WRITES = /^blocks\.(\d+)\.hook_(?:attn|mlp)_out$/;
const EMBEDDING = 'hook_embed';
const QUERIES: HookName = 'blocks.{layer}.attn.hook_q';
const KEYS: HookName = 'blocks.{layer}.attn.hook_k';
const SCORES: HookName = 'blocks.{layer}.attn.hook_attn_scores';
const PATTERN: HookName = 'blocks.{layer}.attn.hook_pattern';

/** The hooks whose softmax the QK-fix computes exactly. */
export const QK_HOOKS: ReadonlySet<HookName> = new Set([QUERIES, KEYS]);

type Taps = Map<string, Tensor>;

/**
 * Estimates of patching every site of some hooks, for B pairs of T tokens and R rows of the gradient run (R = B,
 * or a multiple where `repeated`). Inputs: `ids` [R, T] the gradient run's tokens, `source_ids` and (path
 * `inputs`) `base_ids` [B, T]; `read`, `source_read`, `base_read` the read rows of each; `columns` [U] token ids
 * with `weights:METRIC` [R, U] and `pair_weights:METRIC` [B, U]; `pair_of` [R] and `row_of` [R·T] lead from the
 * gradient run to its pair; `alpha` [R·T, 1] the place on the line; `keep` [R·T, L] 0 where the gradient stops.
 * Outputs per metric: `value:` of the gradient run [R, 1], `source:` and (path `inputs`) `base:` [B, 1]; per
 * metric and hook `estimate:` Σ (a_source − a_base) · ∂metric/∂a, [layers, R·T] for rows, [layers, R, T, heads],
 * for squares and QK-fixed queries and keys [layers, R, heads, T]; the last axis stays where the grain says so.
 */
export function attributionGraph(config: ModelConfig, compiler: GraphCompiler, spec: GraphSpec): Graph {
  const g = new Graph(graphName(spec));
  const w = weightsOf(g, compiler);
  const { path, repeated } = spec;
  const R = repeated ? 'R' : 'B';
  const tapped = tappedNames(config, spec);

  const plain = (name: string): { taps: Taps; hidden: Tensor } => {
    const taps: Taps = new Map();
    const ids = g.input(`${name}_ids`, 'int64', ['B', 'T']);
    const { hidden } = decoderForward(g, config, w, ids, {
      hook: (point, value) => {
        if (tapped.has(point) || point === EMBEDDING) taps.set(point, value);
        return value;
      },
    });
    return { taps, hidden };
  };
  const source = plain('source');
  const base = path === 'inputs' ? plain('base') : null;

  const pairOf = repeated ? g.input('pair_of', 'int64', [R]) : null;
  const rowOf = repeated ? g.input('row_of', 'int64', [`${R}*T`]) : null;
  /** A tensor of the pairs, for every row of the gradient run. */
  const spread = (x: Tensor): Tensor => {
    if (pairOf === null || rowOf === null) return x;
    return b.gather(g, x, x.shape[0] === 'B*T' ? rowOf : pairOf);
  };
  const at = (taps: Taps, name: string): Tensor => {
    const tensor = taps.get(name);
    invariant(tensor !== undefined, `the forward pass has no ${name}`);
    return tensor;
  };

  const taps: Taps = new Map();
  const alpha = path === 'inputs' ? g.input('alpha', 'float32', [`${R}*T`, 1]) : null;
  const keep = spec.gates ? g.input('keep', 'float32', [`${R}*T`, config.nLayer]) : null;
  const { hidden } = decoderForward(g, config, w, g.input('ids', 'int64', [R, 'T']), {
    hook: (point, given) => {
      let value = given;
      if (point === EMBEDDING && alpha !== null && base !== null) {
        const from = at(base.taps, point);
        const line = b.sub(g, at(source.taps, point), from);
        value = b.add(g, spread(from), b.mul(g, spread(line), alpha));
      }
      if (tapped.has(point)) {
        if (BESIDE.test(point)) value = g.op('Identity', [value]);
        taps.set(point, value);
      }
      const write = WRITES.exec(point);
      return keep === null || write === null ? value : gated(g, value, keep, Number(write[1]));
    },
  });

  const columns = g.input('columns', 'int64', ['U']);
  const rowsOf = (rows: Tensor, read: string, count: string): Read =>
    readRows(g, config, w, b.gather(g, rows, g.input(read, 'int64', [count])), columns);
  const reads = {
    tape: rowsOf(hidden, 'read', R),
    source: rowsOf(source.hidden, 'source_read', 'B'),
    base: base && rowsOf(base.hidden, 'base_read', 'B'),
  };
  const cleanRows = spec.clean === 'source' ? reads.source : reads.base;
  const cleanLogP = (): Tensor => {
    invariant(cleanRows !== null, 'the clean run is the gradient run itself');
    return g.op('LogSoftmax', [cleanRows.logits()], { axis: 1 });
  };

  const points = [...tapped];
  const fixed = spec.qkFix ? probes(g, config, w, { taps, source: source.taps, spread, at }) : null;
  for (const metric of spec.metrics) {
    const { value } = differentiable(metric, 'ig', 'denoising');
    const measured = (read: Read, rows: string, weights: string, clean: () => Tensor): Tensor =>
      value(
        {
          g,
          ids: columns,
          weights: g.input(`${weights}:${metric}`, 'float32', [rows, 'U']),
          cleanLogP: clean,
        },
        read,
      );
    const pairWeights = g.input(`pair_weights:${metric}`, 'float32', ['B', 'U']);
    const ofPairs = (read: Read): Tensor => value({ g, ids: columns, weights: pairWeights, cleanLogP }, read);
    const m = measured(reads.tape, R, 'weights', () => spread(cleanLogP()));
    g.output(`value:${metric}`, m);
    g.output(`source:${metric}`, ofPairs(reads.source));
    if (reads.base !== null) g.output(`base:${metric}`, ofPairs(reads.base));

    const ones = g.op('ConstantOfShape', [g.op('Shape', [m])], {}, m.shape);
    const seed = { tensor: m, cotangent: b.add(g, ones, 1) };
    const found = gradients(
      g,
      [seed],
      points.map((point) => at(taps, point)),
    );
    const gradient = new Map(points.map((point, i) => [point, found[i] ?? null]));
    const gradientAt = (point: string): Tensor => {
      const tensor = gradient.get(point) ?? null;
      invariant(tensor !== null, `the metric does not depend on ${point}`);
      return tensor;
    };
    for (const { hook, grain } of spec.hooks) {
      const layers = Array.from({ length: isLayered(hook) ? config.nLayer : 1 }, (_, layer) => {
        if (fixed !== null && QK_HOOKS.has(hook)) {
          return fixed(hook, layer, gradientAt(hookAt(PATTERN, layer)));
        }
        const point = hookAt(hook, layer);
        const from = base === null ? at(taps, point) : spread(at(base.taps, point));
        const product = b.mul(g, b.sub(g, spread(at(source.taps, point)), from), gradientAt(point));
        return grain === 'element' ? product : b.reduceSum(g, product, [product.shape.length - 1], false);
      });
      g.output(estimateName(metric, hook), stacked(g, layers));
    }
  }
  return g;
}

/** Every point that must be seen, one per layer. */
function tappedNames(config: ModelConfig, spec: GraphSpec): Set<string> {
  const hooks = spec.hooks.map(({ hook }) => hook);
  const wanted = spec.qkFix ? [...hooks, QUERIES, KEYS, SCORES, PATTERN] : hooks;
  return new Set(
    wanted.flatMap((hook) =>
      Array.from({ length: isLayered(hook) ? config.nLayer : 1 }, (_, layer) => hookAt(hook, layer)),
    ),
  );
}

function stacked(g: Graph, layers: readonly Tensor[]): Tensor {
  const each = layers.map((layer) => b.unsqueeze(g, layer, [0]));
  const [only] = each;
  return each.length === 1 && only !== undefined ? only : b.concat(g, each, 0);
}

/** The value itself going forward; going backward, its gradient times column `layer` of `keep`. */
function gated(g: Graph, value: Tensor, keep: Tensor, layer: number): Tensor {
  const column = b.slice(g, keep, 1, layer, layer + 1);
  const still = b.cast(g, value, 'float32'); // no gradient passes a cast
  return b.add(g, b.mul(g, value, column), b.mul(g, still, b.sub(g, 1, column)));
}

interface Runs {
  readonly taps: Taps;
  readonly source: Taps;
  readonly spread: (x: Tensor) => Tensor;
  readonly at: (taps: Taps, name: string) => Tensor;
}

/**
 * Scores with patched queries or patched keys, by the decoder's own attention: a forward pass whose queries
 * (keys) are the source's and whose keys (queries) are the base's. Only its scores are used; the rest of it is
 * left out of the compiled graph.
 */
function probes(
  g: Graph,
  config: ModelConfig,
  w: Weights,
  { taps, source, spread, at }: Runs,
): (hook: HookName, layer: number, patternGradient: Tensor) => Tensor {
  const scoresWith = (patched: HookName): Map<string, Tensor> => {
    const seen = new Map<string, Tensor>();
    const swap = (point: string, value: Tensor): Tensor => {
      const layer = /^blocks\.(\d+)\./.exec(point)?.[1];
      if (layer === undefined) return value;
      if (point === hookAt(patched, Number(layer))) return spread(at(source, point));
      if (point === hookAt(QUERIES, Number(layer)) || point === hookAt(KEYS, Number(layer)))
        return at(taps, point);
      if (point === hookAt(SCORES, Number(layer))) seen.set(point, value);
      return value;
    };
    const ids = g.inputs.find((t) => t.name === 'ids');
    invariant(ids !== undefined, 'the gradient run has ids');
    decoderForward(g, config, w, ids, { hook: swap });
    return seen;
  };
  const patched = new Map([QUERIES, KEYS].map((hook) => [hook, scoresWith(hook)]));
  return (hook, layer, gradient) => {
    const scoresAt = hookAt(SCORES, layer);
    const pattern = at(taps, hookAt(PATTERN, layer));
    const moved = at(patched.get(hook) ?? new Map<string, Tensor>(), scoresAt);
    return hook === QUERIES
      ? queryFix(g, pattern, gradient, moved)
      : keyFix(g, pattern, gradient, at(taps, scoresAt), moved);
  };
}
