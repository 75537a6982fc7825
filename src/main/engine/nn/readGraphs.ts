import type { ModelConfig } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { nll } from './crossEntropy.ts';
import { decoderForward, unembed } from './decoder.ts';
import type { Weights } from './family.ts';
import { keyMask } from './keyMask.ts';

/** Makes the weights of a graph: constants in files for a model at rest, inputs for one in training. */
export type WeightSource = (g: Graph) => Weights;

interface Rows {
  readonly g: Graph;
  /** Logits of the rows asked for, [R, vocabulary]. */
  readonly logits: Tensor;
}

function rowLogits(name: string, config: ModelConfig, source: WeightSource, hidePadding = false): Rows {
  const g = new Graph(name);
  const w = source(g);
  const ids = g.input('ids', 'int64', ['B', 'T']);
  const rows = g.input('rows', 'int64', ['R']);
  const hook = hidePadding ? { hook: keyMask(g, 'B', 'T') } : {};
  const { hidden } = decoderForward(g, config, w, ids, hook);
  return { g, logits: unembed(g, config, w, b.gather(g, hidden, rows)) };
}

/** Inputs `ids` [B, T] and `rows` [R] (b·T + t for position t of sequence b); output `logits` [R, vocabulary]. */
export function logitsAtRows(config: ModelConfig, source: WeightSource): Graph {
  const { g, logits } = rowLogits('logits', config, source);
  g.output('logits', logits);
  return g;
}

/** As `logitsAtRows`, for the largest logit only: output `best` int64 [R]. */
export function bestAtRows(config: ModelConfig, source: WeightSource): Graph {
  const { g, logits } = rowLogits('best', config, source);
  g.output('best', g.op('ArgMax', [logits], { axis: 1, keepdims: 0 }));
  return g;
}

/**
 * Inputs `ids` [B, T], `rows` [R], `labels` [R] (the token that should follow each row); output `nll` [R]:
 * −log P of each label, in nats. With `hidePadding` also an input `keys` (see `keyMask`).
 */
export function nllAtRows(config: ModelConfig, source: WeightSource, hidePadding = false): Graph {
  const { g, logits } = rowLogits('evaluate', config, source, hidePadding);
  const labels = g.input('labels', 'int64', ['R']);
  g.output('nll', b.squeeze(g, nll(g, logits, labels), [1]));
  return g;
}
