import { z } from 'zod';
import { ExternalResultId, SweepId } from './ids.ts';
import { ResultRef } from './external.ts';
import { MetricName, SweepHookGrid } from './sweep.ts';

const grid = SweepHookGrid.shape;

/**
 * Views of results that are more than one heatmap or a comparison of two: each has its tables, which are shown,
 * written as CSV, and taken into the report, and figures where there are any.
 */
export const ResultViewRequest = z.discriminatedUnion('kind', [
  /** Question types of one sweep: index of localisation, differences, tests. */
  z.object({ kind: z.literal('types'), id: SweepId, ...grid, metric: MetricName }),
  /** Windows of layers beside the sums of their layers. */
  z.object({ kind: z.literal('windows'), id: SweepId, ...grid, metric: MetricName }),
  /** What is detected by corruption, method and metric, beside published heads. */
  z.object({ kind: z.literal('detection'), refs: z.array(ResultRef).min(1).max(40), ...grid }),
  /** Three and more results site by site. */
  z.object({
    kind: z.literal('several'),
    refs: z.array(ResultRef).min(1).max(24),
    ...grid,
    metric: MetricName,
  }),
  /** Two metrics of one sweep against each other. */
  z.object({ kind: z.literal('metrics'), id: SweepId, ...grid, x: MetricName, y: MetricName }),
  /** The published tables of the CLAP study beside what one sweep gives; null = the published ones alone. */
  z.object({ kind: z.literal('clap'), id: SweepId.nullable() }),
  /** External results by themselves. */
  z.object({ kind: z.literal('external'), id: ExternalResultId }),
]);
export type ResultViewRequest = z.infer<typeof ResultViewRequest>;

/** One table of a view: numbers unrounded, null where there is none. */
export const ResultTable = z.object({
  name: z.string(),
  caption: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))),
});
export type ResultTable = z.infer<typeof ResultTable>;
