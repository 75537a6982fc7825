import type { ModelConfig } from '../../../shared/domain/index.ts';

const FLOAT_BYTES = 4;
/** Values, gradients, a copy of the gradients as they leave the runtime, and both moments. */
const COPIES_OF_PARAMETERS = 5;

/** Bytes that parameters and optimiser state take while a model is trained. */
export function trainingStateBytes(parameters: number): number {
  return parameters * COPIES_OF_PARAMETERS * FLOAT_BYTES;
}

/**
 * Working memory of loss and gradients for one batch of `rows` sequences of `length` tokens, in bytes: what each
 * layer keeps for the way back (fitted to measurements with GPT-2 124M), and one block of logits.
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
