import type { z } from 'zod';
import type {
  Direction,
  ExternalContent,
  GridAxes,
  HookName,
  MetricName,
} from '../../../shared/domain/index.ts';
import { hookInfo, METRICS, resolveHook } from '../../../shared/domain/index.ts';
import { FormatError, UserInputError } from '../../../shared/errors/index.ts';

/** What the user said of a file, for what it does not say itself. */
export interface Given {
  readonly metric: MetricName | null;
  readonly direction: Direction | null;
  readonly model: string | null;
}

/** A file of results as its format reads it. */
export interface ResultFile {
  /** As errors name it. */
  readonly name: string;
  readonly text: string;
  /** The text as JSON, where it is one value; undefined otherwise. */
  readonly json: unknown;
  readonly given: Given;
}

/** One format of external results. */
export interface ResultFormat {
  readonly name: ExternalContent['format'];
  /** Whether the file is of this format, told by what it holds. */
  readonly matches: (file: ResultFile) => boolean;
  /** Throws a FormatError that names file, place and value. */
  readonly read: (file: ResultFile) => Promise<ExternalContent>;
}

/** A fault in the file: where it is, what is there, what would be right. */
export function fault(code: string, file: string, place: string, what: string, next: string): FormatError {
  return new FormatError(code, `${file}, ${place}: ${what}.`, next);
}

interface Refusal {
  readonly code: string;
  readonly file: string;
  /** Where a fault lies, from its path in the value; '' is the value itself. */
  readonly place: (path: string) => string;
  readonly next: string;
}

/** The value as its schema has it. @throws FormatError with the first fault. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, { code, file, place, next }: Refusal): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = (issue?.message ?? 'not as expected').replace(/\.$/, '');
  throw fault(code, file, place(issue?.path.join('.') ?? ''), what, next);
}

/** The hook that a name in the file means. @throws FormatError RESULTS_HOOK_UNKNOWN. */
export function hookOf(file: string, place: string, name: string): HookName {
  const hook = resolveHook(name) ?? resolveHook(name.replace(/_by_pos(ition)?$/, ''));
  if (hook !== undefined) return hook;
  throw fault(
    'RESULTS_HOOK_UNKNOWN',
    file,
    place,
    `“${name}” is no hook that is known here`,
    'Name it as TransformerLens does, e.g. z, resid_pre or blocks.{layer}.attn.hook_z; the table may also carry a "hook".',
  );
}

/** A metric by its name. @throws FormatError RESULTS_METRIC_UNKNOWN. */
export function metricOf(file: string, place: string, name: string): MetricName {
  const metric = METRICS.find((m) => m.name === name);
  if (metric !== undefined) return metric.name;
  throw fault(
    'RESULTS_METRIC_UNKNOWN',
    file,
    place,
    `“${name}” is no metric that is known here`,
    `Use one of ${METRICS.map((m) => m.name).join(', ')}.`,
  );
}

/**
 * What the file says, else what the user says, else the fallback with a remark that it was taken for granted.
 * @throws UserInputError RESULTS_CONTRADICTED where both say something different.
 */
export function settled<T extends string>(
  file: string,
  what: string,
  said: T | null | undefined,
  given: T | null,
  fallback: T,
  remarks: string[],
): T {
  if (said !== null && said !== undefined) {
    if (given === null || given === said) return said;
    throw new UserInputError(
      'RESULTS_CONTRADICTED',
      `${file} says that its ${what} is ${said}, not ${given}.`,
      'Leave it to the file, or correct the file.',
    );
  }
  if (given !== null) return given;
  remarks.push(`The file does not state its ${what}; it is taken as ${fallback}.`);
  return fallback;
}

export type SiteState = ExternalContent['tables'][number]['state'][number];

/**
 * Whether a site restores the source run by construction, as far as a file that does not say so lets one know:
 * residual sites at all positions, and the last layer's output of the block at the last position.
 */
export function isTrivial(
  { hook, axes, layers, columns }: { hook: HookName; axes: GridAxes; layers: number; columns: number },
  site: number,
): boolean {
  if (axes === 'layer') return hookInfo(hook).residual;
  const last = layers * columns - 1;
  const behind = hook === 'logits' || hook.startsWith('ln_final') || hook.endsWith('.hook_resid_post');
  return behind && axes === 'layer_position' && site === last;
}

/** Names of the columns as own sweeps have them: positions and heads by number. */
export function columnNames(axes: GridAxes, columns: number, positions: number): string[] {
  const number = (_: unknown, i: number): string =>
    axes === 'layer_head_position' ? `${Math.floor(i / positions)} · ${i % positions}` : String(i);
  return axes === 'layer' ? [''] : Array.from({ length: columns }, number);
}
