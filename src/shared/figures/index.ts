export { attentionPattern } from './attention-pattern.ts';
export { differenceGrid, differenceHeatmap, DOMAINS, sharedDomain } from './difference-heatmap.ts';
export { effectHeatmap, effectHeatmapSites } from './effect-heatmap.ts';
export type { Figure } from './figure.ts';
export {
  formatCompact,
  formatCount,
  formatInterval,
  formatNumber,
  formatP,
  formatSigned,
  visibleToken,
} from './format.ts';
export { cellState } from './heatmap-cells.ts';
export { fixedColumns } from './heatmap-layout.ts';
export { columnName, layerName, siteName } from './heatmap-names.ts';
export { layerLines } from './layer-lines.ts';
export { lensLines } from './lens-lines.ts';
export { localisationIntervals } from './localisation-intervals.ts';
export { multiples, panelHeight, panelsAcross, type MultiplePanel } from './multiples.ts';
export { gapDots, pairDots } from './pair-dots.ts';
export { figureHeight, figureOption, FIGURES } from './registry.ts';
export { textWidth, type SceneDatum, type SitePoint } from './scene.ts';
export { scatterCompare, type ScatterPoint } from './scatter-compare.ts';
export { toTable, type FigureTable } from './table.ts';
export {
  divergingStep,
  figureTheme,
  PX_PER_MM,
  PX_PER_PT,
  sequentialStep,
  type FigureTheme,
} from './theme.ts';
export { smallLine } from './training-curves.ts';
