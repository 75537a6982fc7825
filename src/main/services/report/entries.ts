import { hookInfo, type EffectGrid, type SweepHookGrid } from '../../../shared/domain/index.ts';
import { html, type Markup } from '../../exporters/report/html.ts';

/** One grid of a section. */
export interface GridEntry {
  readonly key: SweepHookGrid;
  readonly grid: EffectGrid;
}

export function hasRecovery(grid: EffectGrid): boolean {
  return grid.recovery.some((value) => value !== null);
}

/** Why hooks of a result show nothing, in one sentence for all of them. */
export function withoutRecovery(label: string, entries: readonly GridEntry[]): Markup[] {
  const silent = entries.filter(({ grid }) => !hasRecovery(grid));
  const [first] = silent;
  if (first === undefined) return [];
  const hooks = silent.map(({ key }) => hookInfo(key.hook).label).join(', ');
  const reason =
    first.grid.layers === 0 ? 'Nothing was computed yet.' : (first.grid.noRatio ?? 'No site has a value.');
  return [html`<p>${label}: no recovery is given for ${hooks}. ${reason}</p>`];
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
