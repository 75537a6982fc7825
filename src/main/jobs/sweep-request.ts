import { SweepNoise, type SweepId, type SweepSource, type SweepSpec } from '../../shared/domain/index.ts';
import type { PatchRequest, PatchSource } from '../runtime/api.ts';
import type { Study, SweepInput } from '../store/index.ts';

/** What the compute process is asked for a stored sweep. */
export function patchRequest(study: Study, id: SweepId): PatchRequest {
  return requestOf(study, study.sweeps.get(id).spec, study.sweeps.inputs(id));
}

/** What the compute process is asked for pairs under a specification. */
export function requestOf(study: Study, spec: SweepSpec, inputs: readonly SweepInput[]): PatchRequest {
  return {
    folder: study.artifacts.path(study.models.artifactOf(spec.modelId)),
    pairs: inputs,
    grids: spec.grids,
    direction: spec.direction,
    metrics: spec.metrics,
    ...noiseOf(spec),
    ...sourceOf(study, spec, inputs),
  };
}

/** Noise as the engine takes it; the draws follow the sweep's seed. */
function noiseOf({ corruption, noise, seed }: SweepSpec): Pick<PatchRequest, 'noise'> {
  if (corruption === 'str') return {};
  const { draws, scale } = SweepNoise.parse(noise ?? {});
  return { noise: { draws, scale, seed } };
}

type Makers = {
  readonly [K in SweepSource['kind']]: (source: Extract<SweepSource, { kind: K }>) => PatchSource;
};

/** Where pasted values come from; means and draws are over the clean prompts of the sweep's own pairs. */
function sourceOf(
  study: Study,
  { source, seed }: SweepSpec,
  inputs: readonly SweepInput[],
): Pick<PatchRequest, 'source'> {
  if (source === undefined) return {};
  const reference = (): number[][] => inputs.map(({ clean }) => clean);
  const makers: Makers = {
    prompt: () => ({ kind: 'prompt' }),
    zero: () => ({ kind: 'zero' }),
    mean: ({ perPosition }) => ({ kind: 'mean', reference: reference(), perPosition }),
    resample: () => ({ kind: 'resample', reference: reference(), seed }),
    model: ({ modelId }) => ({
      kind: 'model',
      folder: study.artifacts.path(study.models.artifactOf(modelId)),
    }),
  };
  return { source: (makers[source.kind] as (source: SweepSource) => PatchSource)(source) }; // keyed by its kind
}
