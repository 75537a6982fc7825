export {
  comparisonPanels,
  differenceGrid,
  differenceHeatmap,
  DOMAINS,
  sharedDomain,
  type ComparedGrids,
} from './difference-heatmap.ts';
export { effectHeatmap, type EffectHeatmapOptions } from './effect-heatmap.ts';
export type { Figure, FigureData, FigureKind } from './figure.ts';
export { flowDiagram } from './flow-diagram.ts';
export {
  formatCompact,
  formatCount,
  formatInterval,
  formatNumber,
  formatP,
  formatSigned,
  visibleToken,
} from './format.ts';
export { cellState, type CellState } from './heatmap-cells.ts';
export { columnName, siteName } from './heatmap-names.ts';
export { fixedColumns } from './heatmap-layout.ts';
export { layerLines, type LayerSeries } from './layer-lines.ts';
export { localisationIntervals, type IntervalRow } from './localisation-intervals.ts';
export { gapDots, pairDots, type GapDot } from './pair-dots.ts';
export { figureHeight, figureOption, FIGURES } from './registry.ts';
export type { SceneDatum, SitePoint, Size } from './scene.ts';
export { scatterCompare, type ScatterPoint } from './scatter-compare.ts';
export { toTable, type FigureTable, type TableValue } from './table.ts';
export { divergingStep, figureTheme, PX_PER_MM, PX_PER_PT, type FigureTheme } from './theme.ts';
export { smallLine, trainingCurves } from './training-curves.ts';
