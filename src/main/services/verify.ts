import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { ComputeApi, PatchRequest } from '../runtime/api.ts';
import { drawAverager } from '../jobs/draws.ts';
import { computeEffects } from '../jobs/effects.ts';
import { patchRequest } from '../jobs/sweep-request.ts';
import type { NewBlock, StoredBlock, Study } from '../store/index.ts';

export const VerifyResult = z.object({
  ok: z.boolean(),
  database: z.array(z.string()),
  artifacts: z.object({ checked: z.number().int(), damaged: z.array(z.string()) }),
  effects: z.object({
    checked: z.number().int(),
    maxError: z.number().nullable(),
    different: z.array(z.string()),
  }),
});
export type VerifyResult = z.infer<typeof VerifyResult>;

/**
 * Same processor, runtime and thread count give identical values; elsewhere sums round differently, by up
 * to this much of a metric of a few units.
 */
const TOLERANCE = 1e-4;

/** Integrity of a study: its database, the hash of every artifact, and `rerun` stored effects computed anew. */
export async function verifyStudy(study: Study, compute: ComputeApi, rerun: number): Promise<VerifyResult> {
  const database = study.check();
  const artifacts = study.artifacts.list();
  const damaged: string[] = [];
  for (const artifact of artifacts) {
    const sound = await study.artifacts.verify(artifact.hash).catch(() => false);
    if (!sound) damaged.push(`${artifact.name} (${artifact.hash.slice(0, 12)}…)`);
  }
  const effects = await recompute(study, compute, rerun);
  return {
    ok: database.length === 0 && damaged.length === 0 && effects.different.length === 0,
    database,
    artifacts: { checked: artifacts.length, damaged },
    effects,
  };
}

/** Runs the first pairs of each complete sweep again until `count` effects are compared. */
async function recompute(study: Study, compute: ComputeApi, count: number): Promise<VerifyResult['effects']> {
  const result = { checked: 0, maxError: null as number | null, different: [] as string[] };
  const complete = study.sweeps.list().filter((sweep) => sweep.status === 'complete');
  for (const sweep of complete) {
    if (result.checked >= count) break;
    const request = patchRequest(study, sweep.id);
    const blocks: NewBlock[] = [];
    const average = drawAverager(request.noise?.draws ?? 1);
    await computeEffects(
      compute,
      sweep.spec,
      // All pairs are given: the scale of noise is that of all their key tokens.
      { ...request, done: others(request) },
      {
        onEvent: (block) => {
          const whole = average(block);
          if (whole !== null) blocks.push(whole);
        },
      },
    );
    for (const block of blocks) {
      request.metrics.forEach((_, metric) => {
        const stored = study.blocks.read(sweep.id, block.grid, metric).find((b) => b.pair === 0);
        const error = stored === undefined ? Number.POSITIVE_INFINITY : largestError(stored, block, metric);
        result.checked += block.raw[metric]?.length ?? 0;
        result.maxError = Math.max(result.maxError ?? 0, error);
        if (error > TOLERANCE)
          result.different.push(`${sweep.label}, hook ${block.grid}, metric ${metric}: ${error}`);
      });
    }
  }
  return result;
}

/** Keys of the blocks of every pair but the first. */
function others({ grids, pairs }: PatchRequest): string[] {
  return grids.flatMap((_, grid) => pairs.slice(1).map((_pair, k) => `${grid}:${k + 1}`));
}

function largestError(stored: StoredBlock, block: NewBlock, metric: number): number {
  const fresh = block.raw[metric];
  if (fresh === undefined || !isDeepStrictEqual([...stored.shape], [...block.shape]))
    return Number.POSITIVE_INFINITY;
  return stored.raw.reduce((worst, value, i) => {
    const other = fresh[i] ?? Number.NaN;
    if (Number.isNaN(value) && Number.isNaN(other)) return worst;
    const error = Math.abs(value - other);
    return Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }, 0);
}
