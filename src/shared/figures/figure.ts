import type {
  AttentionView,
  EpochPoint,
  FlowCount,
  LensView,
  SiteDetail,
  StepPoint,
  EffectGrid,
} from '../domain/index.ts';
import type { ComparedGrids } from './difference-heatmap.ts';
import type { LayerSeries } from './layer-lines.ts';
import type { IntervalRow } from './localisation-intervals.ts';
import type { MultiplePanel } from './multiples.ts';
import type { ScatterPoint } from './scatter-compare.ts';

/** The data behind each kind of figure. */
export interface FigureData {
  readonly effects: { readonly grid: EffectGrid; readonly title?: string; readonly domain?: number };
  /** Changes of the metric in its own unit, of a grid without ratios. */
  readonly changes: { readonly grid: EffectGrid };
  readonly comparison: ComparedGrids & { readonly labels: { readonly a: string; readonly b: string } };
  /** One grid of three and more results on one scale. */
  readonly multiples: { readonly panels: readonly MultiplePanel[] };
  readonly layers: { readonly series: readonly LayerSeries[] };
  readonly scatter: {
    readonly points: readonly ScatterPoint[];
    readonly labels: { readonly a: string; readonly b: string };
  };
  readonly training: { readonly steps: readonly StepPoint[]; readonly epochs: readonly EpochPoint[] };
  readonly pairs: { readonly detail: SiteDetail };
  /** `query`: the row that is framed. */
  readonly attention: { readonly view: AttentionView; readonly query?: number };
  readonly lens: { readonly view: LensView };
  readonly flow: { readonly flow: FlowCount };
  readonly localisation: { readonly rows: readonly IntervalRow[] };
}
export type FigureKind = keyof FigureData;

/** A figure as data: drawn by `figureOption`, written out by `toTable`. */
export type Figure = { [K in FigureKind]: { readonly kind: K } & FigureData[K] }[FigureKind];
