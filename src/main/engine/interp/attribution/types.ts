import type { PatchTask } from '../types.ts';

/**
 * How effects are estimated without patching each site (METHODS section 7):
 * - `atp`: attribution patching, gradient at the base run (Nanda 2023; Kramár et al. 2024, eq. 2).
 * - `atp-star`: with the softmax of patched queries and keys computed exactly (QK-fix) and the mean of absolute
 *   estimates over backward passes that leave out one layer each (GradDrop); Kramár et al. 2024.
 * - `ig`: integrated gradients, the mean gradient along the straight line of input embeddings from base to source
 *   (EAP-IG, Hanna et al. 2024).
 */
export type AttributionMethod = 'atp' | 'atp-star' | 'ig';

/** Points of the line for `ig` where nobody says otherwise (METHODS section 7). */
export const IG_STEPS = 5;

/** The two corrections of `atp-star`. */
export type StarPart = 'qk-fix' | 'grad-drop';

export interface AttributionTask extends PatchTask {
  readonly method: AttributionMethod;
  /** For `atp-star`: which corrections to make; absent = both. */
  readonly parts?: readonly StarPart[] | undefined;
  /** For `ig`: how many points of the line. */
  readonly steps?: number | undefined;
}
