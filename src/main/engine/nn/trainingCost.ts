import type { ModelConfig } from '../../../shared/domain/index.ts';

const FLOAT_BYTES = 4;
/**
 * Values, gradients and both moments; a copy of the gradients as they leave the runtime; partial sums of the
 * largest ones. Measured with GPT-2 124M: 3.4 GB beside the activations.
 */
const COPIES_OF_PARAMETERS = 7;

/** Bytes that parameters and optimiser state take while a model is trained. */
export function trainingStateBytes(parameters: number): number {
  return parameters * COPIES_OF_PARAMETERS * FLOAT_BYTES;
}

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

/** Floating-point operations of one token's loss and gradients: three matrix products for each of the forward pass. */
export function trainingFlopsPerToken(config: ModelConfig, length: number): number {
  const { nLayer, dModel: d, dMlp: m, vocabSize } = config;
  const layer = 4 * d * d + 2 * d * m + 2 * d * length;
  return 6 * (nLayer * layer + d * vocabSize);
}

/** Most sequences of a length, at most `wanted`, that one run may take under a memory limit; 0 when not one fits. */
export function rowsWithin(
  config: ModelConfig,
  parameters: number,
  wanted: number,
  length: number,
  limitBytes: number,
): number {
  const free = limitBytes - trainingStateBytes(parameters);
  let rows = wanted;
  while (rows > 1 && activationBytes(config, rows, length) > free) rows = Math.ceil(rows / 2);
  return activationBytes(config, rows, length) > free ? 0 : rows;
}
