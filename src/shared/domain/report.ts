import { z } from 'zod';
import { ResultRef } from './external.ts';
import { ResultViewRequest } from './result-views.ts';
import { SweepId } from './ids.ts';

export const ReportSectionKind = z.enum([
  'text',
  'data',
  'training',
  'methods',
  'sweep',
  'comparison',
  'view',
  'warnings',
  'provenance',
]);
export const ReportSection = z.object({
  kind: ReportSectionKind,
  title: z.string(),
  /** The user's own words; shown above what the section generates. */
  text: z.string(),
  /** For `sweep` and `comparison`; of others the sweeps whose warnings and methods belong to them. */
  sweepIds: z.array(SweepId),
  /** For `comparison`: both sides where one of them is external; absent = the two sweeps. */
  results: z.tuple([ResultRef, ResultRef]).optional(),
  /** For `view`. */
  view: ResultViewRequest.optional(),
});
export type ReportSection = z.infer<typeof ReportSection>;

export const Report = z.object({
  title: z.string(),
  author: z.string(),
  sections: z.array(ReportSection),
});
export type Report = z.infer<typeof Report>;

/** Figure export (UX, figure dialog). Width in millimetres at which text sizes are true. */
export const FigureOptions = z.object({
  widthMm: z.union([z.literal(85), z.literal(114), z.literal(174)]).default(174),
  theme: z.enum(['light', 'dark']).default('light'),
  format: z.enum(['svg', 'png', 'csv']).default('svg'),
  /** For PNG. */
  dpi: z.union([z.literal(300), z.literal(600)]).default(300),
});
export type FigureOptions = z.infer<typeof FigureOptions>;
