import { knownModelError } from '../selfcheck/providers.ts';
import { gemmSpeed } from '../speed.ts';
import type { Handler } from './handler.ts';

/** Logits of the known model are about 5; float32 leaves about 1e-6 of that. A wrong formula is off by 1e-2. */
const TOLERANCE = 1e-4;

/** Computes a small known model with the runtime and with plain loops, and measures a matrix product. */
export const selfCheck: Handler<'selfCheck'> = async (_request, { context }) => {
  const start = performance.now();
  const { error: maxError } = await knownModelError((graph) => context.sessions.open(graph));
  const speed = await gemmSpeed(context.sessions);
  const ok = maxError <= TOLERANCE;
  const message = ok
    ? `The engine agrees with a plain computation to ${maxError.toExponential(1)}.`
    : `The engine differs from a plain computation by ${maxError.toExponential(1)} (allowed: ${TOLERANCE}).`;
  return { ok, maxError, gflops: speed / 1e9, milliseconds: performance.now() - start, message };
};
