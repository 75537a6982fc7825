import type { ModelConfig } from '../../../shared/domain/index.ts';

const FLOAT_BYTES = 4;
/**
 * Values, gradients and both moments; a copy of the gradients as they leave the runtime; partial sums of the
 * largest ones. Measured with GPT-2 124M: 3.4 GB beside the activations.
 */
const COPIES_OF_PARAMETERS = 7;

/**
 * Working memory of loss and gradients for one batch of `rows` sequences of `length` tokens, in bytes: what each
 * layer keeps for the way back, and one block of logits. Measured with GPT-2 124M: 1.53 GB for each row of 512
 * tokens; this gives 1.47.
 */
export function activationBytes(config: ModelConfig, rows: number, length: number): number {
  const { nLayer, nHead, dModel, dMlp } = config;
  const perToken = nLayer * (20 * dModel + 8 * dMlp + 4 * nHead * length);
  return FLOAT_BYTES * (rows * length * perToken + 2 ** 23);
}

/**
 * The same, layer by layer: what enters each layer, and one layer's activations, forward and backward. */
export function layerWorkBytes(config: ModelConfig, rows: number, length: number): number {
  const { nLayer, dModel } = config;
  const streams = FLOAT_BYTES * rows * length * dModel * (nLayer + 3);
  return streams + 1.5 * activationBytes({ ...config, nLayer: 1 }, rows, length);
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
  whole: { state: (_, parameters) => parameters * COPIES_OF_PARAMETERS * FLOAT_BYTES, work: activationBytes },
  layers: {
    state: (config, parameters) => FLOAT_BYTES * (parameters * 4 + 2 * largestPart(config, parameters)),
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
  const { nLayer, dModel: d, dMlp: m, vocabSize } = config;
  const layer = 4 * d * d + 2 * d * m + 2 * d * length;
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
 * How batches of up to `wanted` sequences are computed under a memory limit: in one graph where the whole batch
 * fits, else layer by layer; where neither does, the batch in parts. Null when not one sequence fits.
 */
export function planMemory(
  config: ModelConfig,
  parameters: number,
  wanted: number,
  length: number,
  limitBytes: number,
  modes: readonly MemoryMode[] = PREFERENCE,
): MemoryPlan | null {
  for (let rows = wanted; ; rows = Math.ceil(rows / 2)) {
    for (const mode of modes) {
      const bytes = trainingBytes(mode, config, parameters, rows, length);
      if (bytes <= limitBytes) return { mode, rows, bytes };
    }
    if (rows === 1) return null;
  }
}
