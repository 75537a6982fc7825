import {
  headWidth,
  isGated,
  kvHeads,
  type ModelConfig,
  type TrainingConfig,
} from '../../../shared/domain/index.ts';
import { blockRows } from './crossEntropy.ts';

const FLOAT_BYTES = 4;
/** Share of the values that the layers compute which are alive at once. */
const ALIVE = 0.42;
/** What one layer takes when it is computed alone, of all its values: its two graphs keep their memory. */
const LAYER_ALIVE = 2.6;
/** Matrices of one block of logits that are alive at once. */
const LOGIT_MATRICES = 4;
/** Values, gradients and both moments. */
const COPIES_OF_PARAMETERS = 4;
/** The process itself and what the runtime holds for its graphs, in bytes: measured. */
const BASE = { whole: 0.35 * 2 ** 30, layers: 0.12 * 2 ** 30 };

/** Bytes of the blocks of logits in which the loss is worked off. */
function logitBytes({ vocabSize }: ModelConfig, rows: number, length: number): number {
  const block = Math.max(...blockRows(rows * length, vocabSize));
  return FLOAT_BYTES * LOGIT_MATRICES * block * vocabSize;
}

/** Working memory of loss and gradients in one graph, for a batch of `rows` sequences of `length` tokens, in bytes. */
export function activationBytes(config: ModelConfig, rows: number, length: number): number {
  return ALIVE * rows * length * tokenBytes(config, length) + logitBytes(config, rows, length);
}

/** Values as wide as the MLP, forward and backward; counted, not measured, for gated ones. */
const MLP_VALUES = 8;
const GATED_MLP_VALUES = 14;

/** Bytes of all values that the layers compute for one token of a sequence of a length, forward and backward. */
function tokenBytes(config: ModelConfig, length: number): number {
  const { nLayer, nHead, dModel, dMlp } = config;
  const mlp = isGated(config) ? GATED_MLP_VALUES : MLP_VALUES;
  return FLOAT_BYTES * nLayer * (20 * dModel + mlp * dMlp + 4 * nHead * length);
}

/** The same, layer by layer: what enters each layer, and one layer's values. */
export function layerWorkBytes(config: ModelConfig, rows: number, length: number): number {
  const { nLayer, dModel } = config;
  const streams = FLOAT_BYTES * rows * length * dModel * (nLayer + 3);
  const layer = LAYER_ALIVE * rows * length * tokenBytes({ ...config, nLayer: 1 }, length);
  return streams + layer + logitBytes(config, rows, length);
}

/** Parameters of the largest part that is computed at once: a layer, or the embedding. */
function largestPart(
  { nLayer, dModel: d, dMlp: m, vocabSize, nCtx }: ModelConfig,
  parameters: number,
): number {
  const embedding = (vocabSize + nCtx) * d;
  return Math.max(embedding, 4 * d * d + 3 * d * m, (parameters - embedding) / nLayer);
}

/** How loss and gradients are computed: in one graph, or layer by layer with each layer computed anew on the way back. */
export type MemoryMode = 'whole' | 'layers';

interface ModeCost {
  /** Parameters, gradients, moments and what is kept beside them, in bytes. */
  readonly state: (config: ModelConfig, parameters: number) => number;
  /** One batch's working memory, in bytes. */
  readonly work: (config: ModelConfig, rows: number, length: number) => number;
}

const MODES: Readonly<Record<MemoryMode, ModeCost>> = {
  whole: {
    // One copy more, in which the gradients of a step's further batches arrive; partial sums of the largest ones.
    state: (config, parameters) =>
      BASE.whole +
      FLOAT_BYTES * ((COPIES_OF_PARAMETERS + 1) * parameters + 3 * largestPart(config, parameters)),
    work: activationBytes,
  },
  layers: {
    state: (config, parameters) =>
      BASE.layers + FLOAT_BYTES * (COPIES_OF_PARAMETERS * parameters + 4.5 * largestPart(config, parameters)),
    work: layerWorkBytes,
  },
};

/** Bytes that parameters and optimiser state take while a model is trained. */
export function stateBytes(mode: MemoryMode, config: ModelConfig, parameters: number): number {
  return MODES[mode].state(config, parameters);
}

/** Peak bytes of training with batches of `rows` sequences. */
export function trainingBytes(
  mode: MemoryMode,
  config: ModelConfig,
  parameters: number,
  rows: number,
  length: number,
): number {
  return MODES[mode].state(config, parameters) + MODES[mode].work(config, rows, length);
}

/** The least that training with sequences of a length takes, in bytes. */
export function leastBytes(config: ModelConfig, parameters: number, length: number): number {
  return Math.min(
    trainingBytes('whole', config, parameters, 1, length),
    trainingBytes('layers', config, parameters, 1, length),
  );
}

/** Floating-point operations of one token's loss and gradients: three matrix products for each of the forward pass. */
export function trainingFlopsPerToken(config: ModelConfig, length: number): number {
  const { nLayer, nHead, dModel: d, dMlp: m, vocabSize } = config;
  const [D, E] = [nHead * headWidth(config), kvHeads(config) * headWidth(config)];
  const mlp = (isGated(config) ? 3 : 2) * d * m;
  const layer = 2 * d * D + 2 * d * E + mlp + 2 * D * length;
  return 6 * (nLayer * layer + d * vocabSize);
}

export interface MemoryPlan {
  readonly mode: MemoryMode;
  /** Sequences in one run. */
  readonly rows: number;
  /** Peak memory, in bytes. */
  readonly bytes: number;
}

/** Modes in the order of preference: the quicker first. */
const PREFERENCE: readonly MemoryMode[] = ['whole', 'layers'];
/**
 * Fewest tokens at a time for which one graph is the quicker: parts of a batch cost little (their gradients are
 * added up) beside a fifth more time for computing every layer twice, as long as they are not too small.
 */
const LEAST_TOKENS: Readonly<Record<MemoryMode, number>> = { whole: 256, layers: 0 };

/**
 * How batches of up to `wanted` sequences are computed under a memory limit: in one graph, the batch in halves,
 * quarters … where it must be; layer by layer where that does not fit. Null when not one sequence fits.
 */
export function planMemory(
  config: ModelConfig,
  parameters: number,
  wanted: number,
  length: number,
  limitBytes: number,
  modes: readonly MemoryMode[] = PREFERENCE,
): MemoryPlan | null {
  for (const mode of modes) {
    for (let rows = wanted; ; rows = Math.ceil(rows / 2)) {
      const bytes = trainingBytes(mode, config, parameters, rows, length);
      if (bytes <= limitBytes) return { mode, rows, bytes };
      const tooFew = modes.length > 1 && Math.ceil(rows / 2) * length < LEAST_TOKENS[mode];
      if (rows === 1 || tooFew) break;
    }
  }
  return null;
}

/**
 * How batches of up to `wanted` sequences are computed as a configuration asks: within the limit by whichever way
 * suits (`planMemory`, of `modes`), or whole batches in one of the modes. Null when that does not fit.
 */
export function planAsAsked(
  choice: TrainingConfig['memoryMode'],
  config: ModelConfig,
  parameters: number,
  wanted: number,
  length: number,
  limitBytes: number,
  modes?: readonly MemoryMode[],
): MemoryPlan | null {
  if (choice === 'auto') return planMemory(config, parameters, wanted, length, limitBytes, modes);
  const bytes = trainingBytes(choice, config, parameters, wanted, length);
  return bytes <= limitBytes ? { mode: choice, rows: wanted, bytes } : null;
}

/** The least that a run takes as a configuration asks for it, in bytes. */
export function bytesAsAsked(
  choice: TrainingConfig['memoryMode'],
  config: ModelConfig,
  parameters: number,
  wanted: number,
  length: number,
): number {
  if (choice === 'auto') return leastBytes(config, parameters, length);
  return trainingBytes(choice, config, parameters, wanted, length);
}

/** Share of a large matrix product's speed that those of training reach. */
const GEMM_SHARE = 0.9;
/** Bytes of activations worked off a second, all passes over them together. */
const ACTIVATION_BYTES_PER_SECOND = 3.4e9;
/** Seconds a parameter and step that norm, clipping and AdamW take. */
const UPDATE_SECONDS = 8e-9;
/** Layer by layer every layer runs forward twice: three products become four, the head's stay three. */
const REPEATED = { whole: 1, layers: 1.28 } as const satisfies Record<MemoryMode, number>;
/** A forward pass, as a share of forward and backward. */
const FORWARD_SHARE = 1 / 3;

export interface Workload {
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly mode: MemoryMode;
  /** Tokens trained on in the whole run, padding that is computed included. */
  readonly tokens: number;
  /** Tokens that are only read: all validations together. */
  readonly readTokens: number;
  /** Tokens of a sequence, on average. */
  readonly length: number;
  readonly steps: number;
}

/**
 * Seconds that a run takes on a machine whose large matrix products run at `flops` operations a second: matrix
 * products, passes over activations, and the optimiser. Constants measured on two cores with GPT-2 124M and a
 * model of width 128; expect it within a factor of two elsewhere.
 */
export function trainingSeconds(work: Workload, flops: number): number {
  const { config, parameters, mode, tokens, readTokens, length, steps } = work;
  const computed = tokens * REPEATED[mode] + readTokens * FORWARD_SHARE;
  const products = (computed * trainingFlopsPerToken(config, length)) / (flops * GEMM_SHARE);
  const passes = (computed * tokenBytes(config, length)) / ACTIVATION_BYTES_PER_SECOND;
  return products + passes + steps * parameters * UPDATE_SECONDS;
}
