import { z } from 'zod';
import { METRICS, smallestGap, SweepId } from '../../shared/domain/index.ts';
import { formatNumber } from '../../shared/figures/format.ts';
import type { PatchBlock } from '../runtime/api.ts';
import type { Study } from '../store/index.ts';
import { defineJob } from './definition.ts';
import { drawAverager } from './draws.ts';
import { computeEffects } from './effects.ts';
import { provenanceOf } from './provenance.ts';
import { runStreaming } from './streaming.ts';
import { patchRequest } from './sweep-request.ts';

/** Where the model hardly tells clean from corrupted, there is nothing to divide by. */
function gapWarnings(study: Study, id: SweepId): string[] {
  const { spec } = study.sweeps.get(id);
  return spec.metrics.flatMap((name, metric) => {
    const pairs = study.blocks.read(id, 0, metric);
    if (pairs.length === 0) return [];
    const gap = pairs.reduce((sum, pair) => sum + pair.clean - pair.corrupted, 0) / pairs.length;
    if (Math.abs(gap) >= smallestGap(name, spec.epsilon)) return [];
    const label = METRICS.find((m) => m.name === name)?.label ?? name;
    return [
      `The model hardly tells clean from corrupted: the mean gap of the ${label} is ${formatNumber(gap, 3)}. Recoveries would divide by it, so none is given.`,
    ];
  });
}

/** Patches every grid for every pair and stores the effects block by block; what is stored is not run again. */
export const sweepJob = defineJob({
  kind: 'sweep',
  params: z.object({ sweepId: SweepId }),
  heavy: true,
  title: ({ sweepId }) => `Sweep S-${String(sweepId).padStart(2, '0')}`,
  onStatus: (status, { sweepId }, study) => {
    const ended = status === 'complete' || status === 'failed' || status === 'stopped';
    study.sweeps.update(sweepId, { status, finishedAt: ended ? new Date().toISOString() : null });
  },
  run: async ({ params, study, compute, signal, progress, log, emit }) => {
    const { sweepId } = params;
    const sweep = study.sweeps.get(sweepId);
    const request = patchRequest(study, sweepId);
    const done = study.blocks.done(sweepId);
    const total = request.grids.length * request.pairs.length;
    let count = done.length;
    const tell = (): void => {
      progress(count, total, 'blocks', `${request.pairs.length} pairs, ${request.grids.length} hooks`);
      emit('sweepProgress', { sweepId, done: count, total });
    };
    tell();
    const average = drawAverager(request.noise?.draws ?? 1);
    const outcome = await runStreaming<PatchBlock, Awaited<ReturnType<typeof compute.patch>>>(
      signal,
      (options) => computeEffects(compute, sweep.spec, { ...request, done }, options),
      (block) => {
        const whole = average(block);
        if (whole === null) return;
        study.blocks.store(sweepId, whole);
        count += 1;
        tell();
      },
    );
    const { weightsHash } = study.models.get(sweep.spec.modelId);
    const inputs = { weightsHash, pairs: request.pairs, spec: { ...sweep.spec, modelId: 0, pairSetId: 0 } };
    study.sweeps.update(sweepId, {
      provenance: await provenanceOf(compute, inputs, sweep.spec.seed),
      warnings: [...new Set([...sweep.warnings, ...gapWarnings(study, sweepId)])],
    });
    emit('changed', { what: 'sweeps' });
    const seconds = (outcome.sweepMs / 1000).toFixed(1);
    log(`${total - done.length} blocks in ${seconds} s on ${outcome.provider}, ${outcome.threads} threads`);
    return {
      summary: `${request.pairs.length} pairs in ${seconds} s`,
      result: { sweepId, sweepMs: outcome.sweepMs },
    };
  },
});
