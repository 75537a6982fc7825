import type { ComparisonView } from '../../../shared/contracts/index.ts';
import { hookInfo, type Sweep, type SweepGrid } from '../../../shared/domain/index.ts';
import { pearson, spearman } from '../../engine/stats/index.ts';
import { siteName } from '../../../shared/figures/index.ts';
import type { LocalisationDifference, SiteLocalisation } from '../sweeps/localisation.ts';
import { describeSpec, type SpecNames } from './settings.ts';

export interface CompareSide {
  readonly sweep: Sweep;
  readonly grid: SweepGrid;
  readonly localisation: SiteLocalisation;
  readonly names: SpecNames;
}

/** Two grids of one hook side by side: difference, agreement, detected sites, settings, localisation. */
export function compareGrids(
  a: CompareSide,
  b: CompareSide,
  localisationDifference: LocalisationDifference,
): ComparisonView {
  const aligned = alignGrids(a.grid, b.grid);
  const both = aligned.filter((cell) => isOpen(a.grid, cell.a) && isOpen(b.grid, cell.b));
  const x = both.map((cell) => valueOf(a.grid, cell.a));
  const y = both.map((cell) => valueOf(b.grid, cell.b));
  const [specA, specB] = [describeSpec(a.sweep, a.names), describeSpec(b.sweep, b.names)];
  const settings = specA.map(({ name, value }, i) => ({ name, a: value, b: specB[i]?.value ?? '' }));
  const different = settings.filter((row) => row.a !== row.b);
  return {
    a: a.grid,
    b: b.grid,
    difference: aligned.map((cell) => {
      const [left, right] = [a.grid.recovery[cell.a] ?? null, b.grid.recovery[cell.b] ?? null];
      return left === null || right === null ? null : right - left;
    }),
    spearman: spearman(x, y),
    pearson: pearson(x, y),
    n: both.length,
    detected: aligned.flatMap((cell) => {
      const [inA, inB] = [a.grid.detected[cell.a] === true, b.grid.detected[cell.b] === true];
      if (!inA && !inB) return [];
      return [
        {
          layer: cell.layer,
          column: cell.column,
          site: siteName(cell.a < 0 ? b.grid : a.grid, cell),
          a: a.grid.recovery[cell.a] ?? null,
          b: b.grid.recovery[cell.b] ?? null,
          where: inA && inB ? ('both' as const) : inA ? ('a' as const) : ('b' as const),
        },
      ];
    }),
    settings: different,
    sharedSettings: settings.filter((row) => row.a === row.b).map(({ name, a: value }) => ({ name, value })),
    localisation: [a.localisation, b.localisation],
    localisationDifference,
    notes: notesOf(a, b),
  };
}

interface Cell {
  readonly layer: number;
  readonly column: number;
  /** Flat index in each grid; −1 where it has no such cell. */
  readonly a: number;
  readonly b: number;
}

/** Cells of the larger of both grids, by layer and column. */
function alignGrids(a: SweepGrid, b: SweepGrid): Cell[] {
  const layers = Math.max(a.layers, b.layers);
  const columns = Math.max(a.columns, b.columns);
  const at = (grid: SweepGrid, layer: number, column: number): number =>
    layer < grid.layers && column < grid.columns ? layer * grid.columns + column : -1;
  return Array.from({ length: layers * columns }, (_, flat) => {
    const [layer, column] = [Math.floor(flat / columns), flat % columns];
    return { layer, column, a: at(a, layer, column), b: at(b, layer, column) };
  });
}

function isOpen(grid: SweepGrid, site: number): boolean {
  return grid.state[site] === 'open' && (grid.recovery[site] ?? null) !== null;
}

function valueOf(grid: SweepGrid, site: number): number {
  return grid.recovery[site] ?? Number.NaN;
}

function notesOf(a: CompareSide, b: CompareSide): string[] {
  const residual = hookInfo(a.grid.hook).residual;
  const rules: readonly [boolean, string][] = [
    [
      a.grid.columns !== b.grid.columns || a.grid.layers !== b.grid.layers,
      `The grids differ in size (${a.grid.layers} × ${a.grid.columns} and ${b.grid.layers} × ${b.grid.columns}); cells are matched by layer and column.`,
    ],
    [
      residual,
      'Localisation is not given: residual-stream sites carry everything before them and are no components.',
    ],
    [
      a.sweep.spec.direction !== b.sweep.spec.direction,
      'One sweep is denoising and the other noising: they answer different questions (sufficient, necessary).',
    ],
    [
      a.sweep.spec.pairSetId !== b.sweep.spec.pairSetId,
      'The sweeps use different pair sets; differences may come from the pairs.',
    ],
    [
      [a, b].some((side) => side.sweep.status !== 'complete'),
      'A sweep is not complete: values are provisional and have no intervals.',
    ],
  ];
  return rules.flatMap(([applies, note]) => (applies ? [note] : []));
}
