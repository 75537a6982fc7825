import type { SweepSpec } from '../../shared/domain/index.ts';
import type {
  CallOptions,
  ComputeApi,
  PatchBlock,
  PatchDone,
  PatchPlanSummary,
  PatchRequest,
} from '../runtime/api.ts';

type Method = Pick<SweepSpec, 'method' | 'steps'>;

/** Computes effects as a sweep's method says: patched exactly, or estimated by gradients. */
export function computeEffects(
  compute: ComputeApi,
  { method, steps }: Method,
  request: PatchRequest,
  options?: CallOptions<PatchBlock>,
): Promise<PatchDone> {
  return method === 'exact'
    ? compute.patch(request, options)
    : compute.attribute({ ...request, method, steps }, options);
}

/** What that will cost. */
export function planEffects(
  compute: ComputeApi,
  { method, steps }: Method,
  request: PatchRequest,
): Promise<PatchPlanSummary> {
  return method === 'exact'
    ? compute.planPatch(request)
    : compute.planAttribute({ ...request, method, steps });
}
