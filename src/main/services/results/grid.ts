import {
  gridOf,
  sameGrid,
  type EffectGrid,
  type ExternalResult,
  type ExternalTable,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { detect } from '../../engine/stats/index.ts';
import type { GridKey } from '../sweeps/grid.ts';

/** @throws UserInputError GRID_NOT_IN_RESULT. */
export function externalTable(result: ExternalResult, key: GridKey): ExternalTable {
  const table = result.tables.find((t) => sameGrid(t, key) && t.metric === key.metric);
  if (table !== undefined) return table;
  throw new UserInputError(
    'GRID_NOT_IN_RESULT',
    `${result.label} has no ${key.hook} by ${key.axes.replaceAll('_', ' × ')} with ${key.metric}.`,
    `It has: ${result.tables.map((t) => `${t.name} (${t.metric})`).join(', ')}.`,
  );
}

/** One table of external results as a heatmap shows it; detection by the rule that own sweeps follow. */
export function externalGrid(result: ExternalResult, key: GridKey): EffectGrid {
  const table = externalTable(result, key);
  const { recovery, state, pairs, name: _name, ...grid } = table;
  const nothing = recovery.map(() => null);
  return {
    ...grid,
    ...gridOf(table),
    recovery,
    state,
    low: nothing,
    high: nothing,
    detected: detect(
      recovery,
      state.map((s) => s === 'open'),
    ).sign.map((sign) => sign !== 0),
    pairsDone: pairs ?? 0,
    pairsTotal: pairs ?? 0,
    direction: result.direction,
  };
}
