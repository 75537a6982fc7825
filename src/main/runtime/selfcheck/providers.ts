import type { ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { logitsAtRows, type WeightSource } from '../../engine/nn/readGraphs.ts';
import { Mt19937 } from '../../engine/random/index.ts';
import { folderFamily } from '../../models/families/index.ts';
import type { LoadedModel } from '../modelCache.ts';
import { floats, i64, type Open, type ProviderCheck } from '../sessions.ts';
import { plainGpt2 } from './plain.ts';

const TINY: ModelConfig = {
  family: 'gpt2',
  nLayer: 2,
  nHead: 2,
  dModel: 16,
  dMlp: 64,
  nCtx: 16,
  vocabSize: 37,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
};
const PROMPT = [5, 31, 8, 8, 20, 1, 36];
const SEED = 20;
/** Tokens of the prompt on which a model's first block is compared. */
const BLOCK_TOKENS = 8;

/** Weights large enough that every part of the model matters. */
function weights(): Map<string, { data: Float32Array; shape: readonly number[] }> {
  const random = new Mt19937(SEED);
  return new Map(
    folderFamily(TINY)
      .weights(TINY)
      .map(({ name, shape }) => {
        const size = shape.reduce((n, s) => n * s, 1);
        return [name, { data: Float32Array.from({ length: size }, () => 0.5 * random.normal()), shape }];
      }),
  );
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  invariant(value !== undefined, `the check's model has no weight ${name}`);
  return value;
}

/** How far the known model's logits are from those of the plain loops: the largest error, and the largest logit. */
export async function knownModelError(open: Open): Promise<{ error: number; scale: number }> {
  const values = weights();
  const source: WeightSource = (g) => {
    const tensors = new Map(
      [...values].map(([name, { data, shape }]) => [name, g.constant(name, shape, data)]),
    );
    return (name) => known(tensors, name);
  };
  const session = await open(logitsAtRows(TINY, source));
  try {
    const run = await session.run({
      ids: i64(PROMPT, [1, PROMPT.length]),
      rows: i64([PROMPT.length - 1], [1]),
    });
    const expected = plainGpt2(TINY, (name) => known(values, name).data, PROMPT);
    return { error: largestDifference(floats(run, 'logits'), expected), scale: largest(expected) };
  } finally {
    await session.close();
  }
}

/** The largest difference of two rows of equal length; NaN counts as infinitely far. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return worst;
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] ?? 0));
  return most;
}

/** A provider against the plain loops, on the known model. */
export const knownModelCheck: ProviderCheck = async (open) => {
  const { error, scale } = await knownModelError(open);
  return error / scale;
};

/**
 * A provider against the CPU on a model's own weights: embedding, first block, final norm and unembedding, the
 * logits of one short prompt.
 */
export function firstBlockCheck(model: LoadedModel, onCpu: Open): ProviderCheck {
  const config = { ...model.config, nLayer: 1 };
  const length = Math.min(BLOCK_TOKENS, config.nCtx);
  const ids = Array.from({ length }, (_, i) => (i * 7919) % config.vocabSize);
  const logits = async (open: Open): Promise<Float32Array> => {
    const session = await open(logitsAtRows(config, model.weights), {
      folder: model.folder.folder,
      prepack: false,
    });
    try {
      return floats(
        await session.run({ ids: i64(ids, [1, length]), rows: i64([length - 1], [1]) }),
        'logits',
      );
    } finally {
      await session.close();
    }
  };
  return async (open) => {
    const expected = await logits(onCpu);
    return largestDifference(await logits(open), expected) / largest(expected);
  };
}
