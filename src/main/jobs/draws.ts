import { invariant } from '../../shared/errors/index.ts';
import type { PatchBlock } from '../runtime/api.ts';
import type { NewBlock } from '../store/index.ts';

/**
 * Collects the draws of noise of each grid and pair, in any order, and gives their mean and the SD over them
 * (n − 1) once all are there, null before: draws are not samples and are averaged before anything else
 * (METHODS section 2). With one draw blocks pass as they are.
 */
export function drawAverager(draws: number): (block: PatchBlock) => NewBlock | null {
  const waiting = new Map<string, PatchBlock[]>();
  return (block) => {
    if (draws === 1) return block;
    const key = `${block.grid}:${block.pair}`;
    const own = [...(waiting.get(key) ?? []), block];
    if (own.length < draws) {
      waiting.set(key, own);
      return null;
    }
    waiting.delete(key);
    return average(own.toSorted((a, b) => a.draw - b.draw));
  };
}

function average(blocks: readonly PatchBlock[]): NewBlock {
  const [first] = blocks;
  invariant(first !== undefined, 'draws of a pair');
  const means = first.raw.map((_, m) => meanOver(blocks.flatMap((block) => block.raw.slice(m, m + 1))));
  const scalar = (of: (block: PatchBlock) => readonly number[]): number[] =>
    of(first).map((_, m) => blocks.reduce((sum, b) => sum + (of(b)[m] ?? Number.NaN), 0) / blocks.length);
  return {
    grid: first.grid,
    pair: first.pair,
    shape: first.shape,
    raw: means,
    clean: scalar((b) => b.clean),
    corrupted: scalar((b) => b.corrupted),
    // What a patch does by construction does not depend on the noise.
    zero: first.zero,
    trivial: first.trivial,
    drawSd: first.raw.map((_, m) =>
      spread(
        blocks.flatMap((block) => block.raw.slice(m, m + 1)),
        means[m],
      ),
    ),
  };
}

function meanOver(draws: readonly Float64Array[]): Float64Array {
  return Float64Array.from(
    draws[0] ?? [],
    (_, i) => draws.reduce((sum, d) => sum + (d[i] ?? 0), 0) / draws.length,
  );
}

function spread(draws: readonly Float64Array[], mean: Float64Array | undefined): Float64Array {
  return Float64Array.from(draws[0] ?? [], (_, i) => {
    const squares = draws.reduce((sum, d) => sum + ((d[i] ?? 0) - (mean?.[i] ?? 0)) ** 2, 0);
    return Math.sqrt(squares / (draws.length - 1));
  });
}
