import type { ComparisonView } from '../../../shared/contracts/index.ts';
import { hookInfo, type EffectGrid } from '../../../shared/domain/index.ts';
import { pearson, spearman, strongest } from '../../engine/stats/index.ts';
import { siteName } from '../../../shared/figures/index.ts';
import type { GridKey } from '../sweeps/grid.ts';
import type { LocalisationDifference } from '../sweeps/localisation.ts';
import { settingRows, type CompareSource } from './sides.ts';

/** Strongest sites whose overlap is counted; at most half of the sites in both. */
const TOP_OF_OVERLAP = 10;

/** Two grids of one hook side by side: difference, agreement, detected sites, settings, localisation. */
export function compareGrids(
  left: CompareSource,
  right: CompareSource,
  key: GridKey,
  localisationDifference: LocalisationDifference,
): ComparisonView {
  const a = read(left, key);
  const b = read(right, key);
  const aligned = alignGrids(a.grid, b.grid);
  const both = aligned.filter((cell) => isOpen(a.grid, cell.a) && isOpen(b.grid, cell.b));
  const x = both.map((cell) => valueOf(a.grid, cell.a));
  const y = both.map((cell) => valueOf(b.grid, cell.b));
  const settings = settingRows(left.settings, right.settings);
  const different = settings.filter((row) => row.a !== row.b);
  return {
    sides: [sideOf(left), sideOf(right)],
    a: a.grid,
    b: b.grid,
    difference: aligned.map((cell) => {
      const [left, right] = [a.grid.recovery[cell.a] ?? null, b.grid.recovery[cell.b] ?? null];
      return left === null || right === null ? null : right - left;
    }),
    spearman: spearman(x, y),
    pearson: pearson(x, y),
    n: both.length,
    overlap: overlapOf(x, y),
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

/** A side with what is compared of it. */
interface ReadSide {
  readonly source: CompareSource;
  readonly grid: EffectGrid;
  readonly localisation: ComparisonView['localisation'][number];
}

const read = (source: CompareSource, key: GridKey): ReadSide => ({
  source,
  grid: source.grid(key),
  localisation: source.localisation(key),
});

const sideOf = ({ ref, label, external }: CompareSource): ComparisonView['sides'][number] => ({
  ref,
  label,
  external,
});

/** How many of the strongest sites by |effect| both have in common; null below two sites. */
function overlapOf(x: readonly number[], y: readonly number[]): ComparisonView['overlap'] {
  const k = Math.min(TOP_OF_OVERLAP, Math.floor(x.length / 2));
  if (k < 1) return null;
  const top = new Set(strongest(y, k));
  return { k, shared: strongest(x, k).filter((site) => top.has(site)).length };
}

interface Cell {
  readonly layer: number;
  readonly column: number;
  /** Flat index in each grid; −1 where it has no such cell. */
  readonly a: number;
  readonly b: number;
}

/** Cells of the larger of both grids, by layer and column. */
function alignGrids(a: EffectGrid, b: EffectGrid): Cell[] {
  const layers = Math.max(a.layers, b.layers);
  const columns = Math.max(a.columns, b.columns);
  const at = (grid: EffectGrid, layer: number, column: number): number =>
    layer < grid.layers && column < grid.columns ? layer * grid.columns + column : -1;
  return Array.from({ length: layers * columns }, (_, flat) => {
    const [layer, column] = [Math.floor(flat / columns), flat % columns];
    return { layer, column, a: at(a, layer, column), b: at(b, layer, column) };
  });
}

function isOpen(grid: EffectGrid, site: number): boolean {
  return grid.state[site] === 'open' && (grid.recovery[site] ?? null) !== null;
}

function valueOf(grid: EffectGrid, site: number): number {
  return grid.recovery[site] ?? Number.NaN;
}

function notesOf(a: ReadSide, b: ReadSide): string[] {
  const sides = [a, b];
  const rules: readonly [boolean, string][] = [
    [
      a.grid.columns !== b.grid.columns || a.grid.layers !== b.grid.layers,
      `The grids differ in size (${a.grid.layers} × ${a.grid.columns} and ${b.grid.layers} × ${b.grid.columns}); cells are matched by layer and column.`,
    ],
    [
      hookInfo(a.grid.hook).residual,
      'Localisation is not given: residual-stream sites carry everything before them and are no components.',
    ],
    [
      a.grid.direction !== b.grid.direction,
      'One sweep is denoising and the other noising: they answer different questions (sufficient, necessary).',
    ],
    [
      a.source.pairSet !== null && b.source.pairSet !== null && a.source.pairSet !== b.source.pairSet,
      'The sweeps use different pair sets; differences may come from the pairs.',
    ],
    [
      sides.some(({ source }) => !source.complete),
      'A sweep is not complete: values are provisional and have no intervals.',
    ],
  ];
  const external = sides.flatMap(({ source: { label, external } }) =>
    external === null
      ? []
      : [
          `${label} is external (${external}): its pairs are not in the study, so it has no intervals and no tests, and nothing of it can be computed again here.`,
        ],
  );
  return [...rules.flatMap(([applies, note]) => (applies ? [note] : [])), ...external];
}
