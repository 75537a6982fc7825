import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';

/** What the user says of a file that does not say it itself. */
export const ExternalGiven = z.object({
  /** Default: the file’s name without its ending. */
  name: z.string().trim().min(1).max(120).nullable().default(null),
  metric: d.MetricName.nullable().default(null),
  direction: d.Direction.nullable().default(null),
  model: z.string().trim().min(1).max(120).nullable().default(null),
});
export type ExternalGiven = z.infer<typeof ExternalGiven>;

const one = z.object({ id: d.ExternalResultId });

/** External results: effects that another program computed, beside the study's own sweeps. */
export const results = {
  list: method(z.object({}), z.array(d.ExternalSummary)),
  /** Reads a file by its handle; undoable. */
  import: method(ExternalGiven.extend({ file: z.string() }), d.ExternalSummary),
  grid: method(one.extend({ ...d.SweepHookGrid.shape, metric: d.MetricName }), d.EffectGrid),
  rename: method(one.extend({ name: z.string().trim().min(1).max(120) }), d.ExternalSummary),
  /** To the trash; undoable. */
  remove: method(one, z.object({})),
};
