import {
  hookInfo,
  resolveHook,
  SweepMethod,
  type PatchResult,
  type PatchVerification,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { ComputeApi, PatchBlock, PatchDone, PatchPlanSummary, PatchRequest } from '../../runtime/api.ts';
import { verifyTop } from '../../services/sweeps/exact.ts';
import { oneOf, wholeNumber } from './parse.ts';

/** Flags that say how effects come about. */
export interface MethodFlags {
  readonly method: string;
  readonly steps?: string;
  readonly verifyTop?: string;
}

/** `--method`, `--steps` and `--verify-top` as calls to the compute process. */
export interface MethodChoice {
  readonly method: SweepMethod;
  readonly plan: (compute: ComputeApi, request: PatchRequest) => Promise<PatchPlanSummary>;
  readonly run: (
    compute: ComputeApi,
    request: PatchRequest,
    onEvent: (block: PatchBlock) => void,
  ) => Promise<PatchDone>;
  /** What `--verify-top` adds to the result; nothing without it. */
  readonly verified: (
    compute: ComputeApi,
    request: PatchRequest,
    estimated: readonly PatchBlock[],
    epsilon: number,
  ) => Promise<Pick<PatchResult, 'verification'>>;
}

/** @throws UserInputError OPTION_INVALID, VERIFY_EXACT, STEPS_WITHOUT_LINE. */
export function methodChoice(flags: MethodFlags): MethodChoice {
  const method = oneOf('--method', SweepMethod, flags.method);
  const k = flags.verifyTop === undefined ? null : wholeNumber('--verify-top', flags.verifyTop, 1);
  const steps = flags.steps === undefined ? undefined : wholeNumber('--steps', flags.steps, 1);
  if (k !== null && method === 'exact') {
    throw new UserInputError(
      'VERIFY_EXACT',
      '--verify-top compares estimates with exact patching, and --method is exact.',
      'Choose --method atp, atp-star or ig.',
    );
  }
  if (steps !== undefined && method !== 'ig') {
    throw new UserInputError(
      'STEPS_WITHOUT_LINE',
      '--steps are points of the line of integrated gradients.',
      'Give it with --method ig.',
    );
  }
  const verified: MethodChoice['verified'] = async (compute, request, estimated, epsilon) =>
    k === null ? {} : { verification: await verifyTop(compute, { request, epsilon, k, estimated }) };
  if (method === 'exact') {
    return {
      method,
      plan: (compute, request) => compute.planPatch(request),
      run: (compute, request, onEvent) => compute.patch(request, { onEvent }),
      verified,
    };
  }
  return {
    method,
    plan: (compute, request) => compute.planAttribute({ ...request, method, steps }),
    run: (compute, request, onEvent) => compute.attribute({ ...request, method, steps }, { onEvent }),
    verified,
  };
}

/** How estimates agree with exact patching, for people. */
export function verificationLines(verification: readonly PatchVerification[]): string[] {
  const text = (value: number | null): string => (value === null ? 'none' : value.toFixed(3));
  return verification.map(({ hook, metric, n, spearman, kendall, same_sign, overlap, largest_error }) => {
    const known = resolveHook(hook);
    return (
      `${known === undefined ? hook : hookInfo(known).short} ${metric}: ${n} strongest sites patched exactly, ` +
      `Spearman ${text(spearman)}, Kendall ${text(kendall)}, same sign ${same_sign} of ${n}, ` +
      `${overlap.shared} of the strongest ${overlap.k} shared, largest difference ${largest_error.toPrecision(2)}`
    );
  });
}
