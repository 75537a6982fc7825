import { z } from 'zod';
import { ExternalResultId, Sha256, SweepId, Timestamp } from './ids.ts';
import { Direction, EffectGrid } from './sweep.ts';

/** What names a grid among others. */
const GRID_KEY = {
  hook: true,
  axes: true,
  window: true,
  onlyLayers: true,
  spans: true,
  neurons: true,
  at: true,
  from: true,
} as const;

/** One grid of effects that another program computed, as its file gives it. */
export const ExternalTable = EffectGrid.pick({
  ...GRID_KEY,
  metric: true,
  layers: true,
  columns: true,
  columnLabels: true,
  recovery: true,
  raw: true,
  effect: true,
  noRatio: true,
  state: true,
  meanClean: true,
  meanCorrupted: true,
}).extend({
  /** Name of the table in the file. */
  name: z.string(),
  /** Pairs behind it; null where the file does not say. */
  pairs: z.number().int().nonnegative().nullable(),
});
export type ExternalTable = z.infer<typeof ExternalTable>;

/** How the file was read. */
export const EXTERNAL_FORMATS = [
  { name: 'tables', label: 'tables of effects (JSON)' },
  { name: 'patch-result', label: 'result of engram patch (JSON)' },
  { name: 'effects', label: 'table of effects (CSV or JSON lines)' },
] as const;
export type ExternalFormat = (typeof EXTERNAL_FORMATS)[number]['name'];
export const ExternalFormat = z.enum(
  EXTERNAL_FORMATS.map((f) => f.name) as [ExternalFormat, ...ExternalFormat[]],
);

/** What a file of external results says, before it is in a study. */
export const ExternalContent = z.object({
  format: ExternalFormat,
  /** Where the numbers come from, in the file's words; empty where it does not say. */
  source: z.string(),
  note: z.string(),
  model: z.string().nullable(),
  method: z.string().nullable(),
  corruption: z.string().nullable(),
  direction: Direction,
  tables: z.array(ExternalTable).min(1),
  /** What was taken for granted or left out in reading. */
  remarks: z.array(z.string()),
});
export type ExternalContent = z.infer<typeof ExternalContent>;

/** Results of another program in a study: an external sweep. Nothing of it can be computed again here. */
export const ExternalResult = ExternalContent.extend({
  id: ExternalResultId,
  /** `X-01`. */
  label: z.string(),
  name: z.string(),
  file: z.string(),
  sha256: Sha256,
  bytes: z.number().int(),
  importedAt: Timestamp,
});
export type ExternalResult = z.infer<typeof ExternalResult>;

/** What a list shows of an external result: everything but the numbers. */
export const ExternalSummary = ExternalResult.omit({ tables: true }).extend({
  tables: z.array(
    ExternalTable.pick({
      ...GRID_KEY,
      name: true,
      metric: true,
      layers: true,
      columns: true,
      pairs: true,
    }),
  ),
});
export type ExternalSummary = z.infer<typeof ExternalSummary>;

/** Effects that can be compared: a sweep of the study, or external ones. */
export const ResultRef = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sweep'), id: SweepId }),
  z.object({ kind: z.literal('external'), id: ExternalResultId }),
]);
export type ResultRef = z.infer<typeof ResultRef>;

export const sweepRef = (id: SweepId): ResultRef => ({ kind: 'sweep', id });
export const externalRef = (id: ExternalResultId): ResultRef => ({ kind: 'external', id });

/** `3` for a sweep, `x3` for an external result: what stands in an address and keys a list. */
export function refKey({ kind, id }: ResultRef): string {
  return kind === 'sweep' ? String(id) : `x${id}`;
}

export const sameRef = (a: ResultRef, b: ResultRef): boolean => refKey(a) === refKey(b);

/** A reference, or a sweep’s number alone. */
export const AnyResult = z.union([ResultRef, SweepId.transform(sweepRef)]);
