import type { ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { logitsAtRows, type WeightSource } from '../../engine/nn/readGraphs.ts';
import { Mt19937 } from '../../engine/random/index.ts';
import { folderFamily } from '../../models/families/index.ts';
import { plainGpt2 } from '../selfcheck/plain.ts';
import { floats, i64, type SessionFactory } from '../sessions.ts';
import { gemmSpeed } from '../speed.ts';
import type { Handler } from './handler.ts';

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
/** Logits of this model are about 5; float32 leaves about 1e-6 of that. A wrong formula is off by 1e-2. */
const TOLERANCE = 1e-4;

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

async function largestError(sessions: SessionFactory): Promise<number> {
  const values = weights();
  const source: WeightSource = (g) => {
    const tensors = new Map(
      [...values].map(([name, { data, shape }]) => [name, g.constant(name, shape, data)]),
    );
    return (name) => known(tensors, name);
  };
  const session = await sessions.open(logitsAtRows(TINY, source));
  const run = await session.run({
    ids: i64(PROMPT, [1, PROMPT.length]),
    rows: i64([PROMPT.length - 1], [1]),
  });
  await session.close();
  const expected = plainGpt2(TINY, (name) => known(values, name).data, PROMPT);
  return floats(run, 'logits').reduce(
    (worst, v, i) => Math.max(worst, Math.abs(v - (expected[i] ?? NaN))),
    0,
  );
}

/** Computes a small known model with the runtime and with plain loops, and measures a matrix product. */
export const selfCheck: Handler<'selfCheck'> = async (_request, { context }) => {
  const start = performance.now();
  const maxError = await largestError(context.sessions);
  const speed = await gemmSpeed(context.sessions);
  const ok = maxError <= TOLERANCE;
  const message = ok
    ? `The engine agrees with a plain computation to ${maxError.toExponential(1)}.`
    : `The engine differs from a plain computation by ${maxError.toExponential(1)} (allowed: ${TOLERANCE}).`;
  return { ok, maxError, gflops: speed / 1e9, milliseconds: performance.now() - start, message };
};
