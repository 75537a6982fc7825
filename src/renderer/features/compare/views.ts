import type { FigureRequest } from '../../../shared/contracts/index.ts';
import type { Compared } from './compare.ts';
import type { Result } from './result.ts';

/** What Compare can show of the chosen results. */
export const MAIN_VIEWS = ['sites', 'layers', 'several', 'types'] as const;
/** Views that are asked for less often, behind a menu. */
export const OTHER_VIEWS = ['metrics', 'detection', 'settings'] as const;
export type CompareView = (typeof MAIN_VIEWS)[number] | (typeof OTHER_VIEWS)[number];

/** Views whose charts have the same numbers as a table in their place. */
export const WITH_TABLE: readonly CompareView[] = ['sites', 'layers', 'several', 'metrics'];

/** The figure of a view as it is exported; null where it has none of its own. */
export function viewFigure(
  shown: CompareView,
  compared: Compared | null,
  several: readonly Result[],
  column: number,
): FigureRequest | null {
  if (compared === null) return null;
  const { a, b, ...key } = compared;
  if (shown === 'layers') return { kind: 'layers', ids: [a, b], column, ...key };
  if (shown === 'several') return { kind: 'several', refs: several.map(({ ref }) => ref), ...key };
  return shown === 'sites' ? { kind: 'comparison', ...compared } : null;
}
