import { hookInfo, type HookName, type ModelConfig } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { Baseline, Side } from './baseline.ts';
import { runBaseline } from './baseline.ts';
import type { PatchCase, PromptRun } from './cases.ts';
import { isSquare, POINTS } from './points.ts';
import type { PatchSessions } from './sessions.ts';
import type { PatchSource } from './types.ts';

/** Values to paste, by case of the group. */
export interface PatchValues {
  /** A row [width] of a hook at a token. */
  row(one: number, layer: number, hook: HookName, token: number): Float32Array;
  /** Scores or pattern of one query of one head over the keys up to it, [query + 1]. */
  square(one: number, layer: number, hook: HookName, head: number, query: number): Float32Array;
}

/** Values of the pair's other run, or of its donor. */
export function fromRun(base: Baseline, side: Side): PatchValues {
  return {
    row: (one, layer, hook, token) => base.row(one, side, layer, hook, token),
    square: (one, layer, hook, head, query) => base.square(one, side, layer, hook, head, query),
  };
}

/** Zero everywhere (zero ablation). */
export function zeros(config: ModelConfig): PatchValues {
  const known = new Map<number, Float32Array>();
  const row = (width: number): Float32Array => {
    const made = known.get(width) ?? new Float32Array(width);
    known.set(width, made);
    return made;
  };
  return {
    row: (_one, _layer, hook) => row(POINTS[hook].width(config)),
    square: (_one, _layer, _hook, _head, query) => row(query + 1),
  };
}

/** Reference prompts run together, so that their records stay small. */
const REFERENCE_ROWS = 4096;

/**
 * Means over the rows of reference prompts (mean ablation), in float64: over all their tokens, or token by
 * token over the prompts long enough.
 * @throws UserInputError MEAN_OF_ATTENTION, MEAN_EMPTY, MEAN_TOO_SHORT.
 */
export async function means(
  sessions: PatchSessions,
  source: Extract<PatchSource, { kind: 'mean' }>,
  hooks: ReadonlySet<HookName>,
  check: () => void,
): Promise<PatchValues> {
  const square = [...hooks].find(isSquare);
  if (square !== undefined) {
    throw new UserInputError(
      'MEAN_OF_ATTENTION',
      `${hookInfo(square).name} has no mean: its rows differ in length.`,
      'Patch attention from the other prompt, or set it to zero.',
    );
  }
  if (source.reference.length === 0) {
    throw new UserInputError(
      'MEAN_EMPTY',
      'There are no reference prompts to average over.',
      'Give at least one.',
    );
  }
  const { config } = sessions;
  const sums = new Map<string, { sum: Float64Array; n: number }>();
  const key = (hook: HookName, layer: number, token: number): string =>
    `${hook} ${layer} ${source.perPosition ? token : 'all'}`;
  const wanted = [...hooks].filter((hook) => hook !== 'logits');
  for (const group of referenceGroups(source.reference)) {
    check();
    const cases = group.map((ids, pair): PatchCase => {
      const run: PromptRun = { ids, noise: null, reads: ids.map((_id, t) => t) };
      return {
        pair,
        draw: 0,
        continuation: 0,
        target: run,
        other: run,
        donor: null,
        scored: null,
        tokens: ids.length,
      };
    });
    const base = await runBaseline(sessions, cases, { hooks, lastFull: true }, check);
    for (const [one, ids] of group.entries()) {
      for (const hook of wanted) {
        const layers = hook.includes('{layer}') ? config.nLayer : 1;
        for (let layer = 0; layer < layers; layer++) {
          for (const token of ids.keys()) {
            const row = base.row(one, 'target', layer, hook, token);
            const at = key(hook, layer, token);
            const entry = sums.get(at) ?? { sum: new Float64Array(row.length), n: 0 };
            row.forEach((value, i) => (entry.sum[i] = (entry.sum[i] ?? 0) + value));
            entry.n++;
            sums.set(at, entry);
          }
        }
      }
    }
  }
  const values = new Map([...sums].map(([at, { sum, n }]) => [at, Float32Array.from(sum, (v) => v / n)]));
  return {
    row: (_one, layer, hook, token) => {
      const mean = values.get(key(hook, layer, token));
      if (mean !== undefined) return mean;
      throw new UserInputError(
        'MEAN_TOO_SHORT',
        `No reference prompt has a token ${token}.`,
        'Average over all positions, or give longer reference prompts.',
      );
    },
    square: () => new Float32Array(0),
  };
}

function* referenceGroups(reference: readonly (readonly number[])[]): Generator<(readonly number[])[]> {
  let group: (readonly number[])[] = [];
  let rows = 0;
  for (const ids of reference) {
    if (group.length > 0 && rows + 2 * ids.length > REFERENCE_ROWS) {
      yield group;
      group = [];
      rows = 0;
    }
    group.push(ids);
    rows += 2 * ids.length;
  }
  if (group.length > 0) yield group;
}
